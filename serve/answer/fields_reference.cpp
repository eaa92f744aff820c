#include "serve/answer/fields.hpp"

namespace winnow::serve {
namespace {

std::string_view kind_text(FieldKind kind) {
  switch (kind) {
    case FieldKind::Text:
      return "text";
    case FieldKind::Flag:
      return "true or false";
    case FieldKind::Count:
      return "whole number";
    case FieldKind::Number:
      return "number";
    case FieldKind::Any:
      return "JSON";
  }
  return "";
}

class ReferenceFields final : public Fields {
 public:
  ReferenceFields(std::string& out, std::string prefix) : out_(out), prefix_(std::move(prefix)) {}

 protected:
  void scalar(const Field& field, FieldKind kind, FieldPresence presence, bool, Json) override {
    row(field, presence, kind_text(kind));
  }
  void object(const Field& field, FieldPresence presence, bool, bool,
              const Describe& describe) override {
    row(field, presence, "object");
    ReferenceFields inner(out_, path(field) + ".");
    describe(inner);
  }
  void objects(const Field& field, FieldPresence presence, bool, bool, std::size_t count,
               const DescribeItem& describe) override {
    row(field, presence, "objects");
    ReferenceFields inner(out_, path(field) + "[].");
    describe(count, inner);
  }

 private:
  std::string path(const Field& field) const { return prefix_ + std::string(field.name); }
  void row(const Field& field, FieldPresence presence, std::string_view kind) {
    std::string what(kind);
    if (presence.is_list && kind != "objects") what = "list of " + what;
    if (presence.may_be_null) what += ", or null";
    if (presence.may_be_left_out) what += ", or not there";
    out_ += "| `" + path(field) + "` | " + what + " | " + std::string(field.unit) + " | " +
            std::string(field.help) + " |\n";
  }

  std::string& out_;
  std::string prefix_;
};

}  // namespace

std::string reference_of_fields(const std::function<void(Fields&)>& describe) {
  std::string out = "| Field | What it is | Unit | What it says |\n|---|---|---|---|\n";
  ReferenceFields fields(out, "");
  describe(fields);
  return out;
}

}  // namespace winnow::serve
