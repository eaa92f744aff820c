#include "serve/answer/fields.hpp"

namespace winnow::serve {
namespace {

class JsonFields final : public Fields {
 public:
  Json take() { return std::move(out_); }

 protected:
  void scalar(const Field& field, FieldKind, FieldPresence, bool there, Json value) override {
    if (there) out_[std::string(field.name)] = std::move(value);
  }
  void object(const Field& field, FieldPresence, bool there, bool is_null,
              const Describe& describe) override {
    if (!there) return;
    out_[std::string(field.name)] = is_null ? Json() : json_of_fields(describe);
  }
  void objects(const Field& field, FieldPresence, bool there, bool is_null, std::size_t count,
               const DescribeItem& describe) override {
    if (!there) return;
    Json& out = out_[std::string(field.name)];
    if (is_null) return;
    Json::array_t items;
    items.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      items.push_back(json_of_fields([&](Fields& f) { describe(i, f); }));
    }
    out = std::move(items);
  }

 private:
  Json out_ = Json::object();
};

}  // namespace

Json json_of_fields(const std::function<void(Fields&)>& describe) {
  JsonFields fields;
  describe(fields);
  return fields.take();
}

}  // namespace winnow::serve
