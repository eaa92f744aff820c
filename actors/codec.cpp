#include "actors/codec.hpp"

#include <bit>
#include <boost/archive/archive_exception.hpp>
#include <boost/archive/basic_binary_iarchive.hpp>
#include <boost/archive/binary_iarchive_impl.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/archive/detail/archive_serializer_map.hpp>
#include <boost/archive/impl/archive_serializer_map.ipp>
#include <boost/archive/impl/basic_binary_iarchive.ipp>
#include <boost/archive/impl/basic_binary_iprimitive.ipp>
#include <cstring>
#include <limits>
#include <streambuf>

#include "base/hash.hpp"

namespace winnow::actors {
namespace {

static_assert(std::endian::native == std::endian::little, "the wire is little-endian");

class AppendBuffer final : public std::streambuf {
 public:
  explicit AppendBuffer(std::string& out) : out_(out) {}
  std::streamsize xsputn(const char* p, std::streamsize n) override {
    out_.append(p, static_cast<std::size_t>(n));
    return n;
  }
  int overflow(int c) override {
    out_.push_back(static_cast<char>(c));
    return c;
  }

 private:
  std::string& out_;
};

class ReadBuffer final : public std::streambuf {
 public:
  explicit ReadBuffer(const std::string& in) {
    char* p = const_cast<char*>(in.data());  // only read from
    setg(p, p, p + in.size());
  }
  std::size_t left() const { return static_cast<std::size_t>(egptr() - gptr()); }
};

}  // namespace

/// Purpose: a Boost binary archive that believes no length larger than the bytes that are left, so
/// that a hostile body can neither exhaust memory nor spin.
class BoundedArchive
    : public boost::archive::binary_iarchive_impl<BoundedArchive, char, std::char_traits<char>> {
  using Base = boost::archive::binary_iarchive_impl<BoundedArchive, char, std::char_traits<char>>;
  friend class boost::archive::detail::interface_iarchive<BoundedArchive>;
  friend class boost::archive::basic_binary_iarchive<BoundedArchive>;
  friend class boost::archive::load_access;

 public:
  explicit BoundedArchive(ReadBuffer& buffer)
      : Base(buffer, boost::archive::no_header), buffer_(buffer) {
    init(boost::archive::no_header);
  }

  template <class T>
  void load_override(T& t) {
    Base::load_override(t);
  }
  void load_override(std::string& text) {
    std::size_t size = 0;
    load(size);
    check(size);
    text.resize(size);
    if (size > 0) load_binary(text.data(), size);
  }
  void load_override(boost::serialization::collection_size_type& t) {
    Base::load_override(t);
    check(static_cast<std::size_t>(
        static_cast<const boost::serialization::collection_size_type&>(t)));
  }

 private:
  void check(std::size_t count) const {
    if (count > buffer_.left()) {
      throw boost::archive::archive_exception(
          boost::archive::archive_exception::input_stream_error);
    }
  }
  ReadBuffer& buffer_;
};

}  // namespace winnow::actors

// As for binary_oarchive: columns of numbers travel as one run of bytes.
BOOST_SERIALIZATION_USE_ARRAY_OPTIMIZATION(winnow::actors::BoundedArchive)

namespace winnow::actors {

template <class T>
Frame encode(const T& message, std::uint64_t session) {
  Frame frame;
  frame.kind = kind_of<T>();
  frame.session = session;
  AppendBuffer buffer(frame.body);
  boost::archive::binary_oarchive archive(buffer, boost::archive::no_header);
  archive << message;
  return frame;
}

template <class T>
Result<T> decode(const Frame& frame) {
  const auto corrupt = [&](const std::string& why) {
    return Error(ErrorCode::Corrupt, "message of kind " + std::to_string(frame.kind) + ": " + why);
  };
  if (frame.version != kProtocolVersion) {
    return corrupt("protocol version " + std::to_string(frame.version) + ", this side speaks " +
                   std::to_string(kProtocolVersion));
  }
  if (frame.kind != kind_of<T>()) return corrupt("unexpected kind");
  if (frame.body.size() > kFrameBytesMax) {
    return corrupt(std::to_string(frame.body.size()) + " bytes, at most " +
                   std::to_string(kFrameBytesMax) + " are allowed");
  }
  try {
    T message;
    ReadBuffer buffer(frame.body);
    BoundedArchive archive(buffer);
    archive >> message;
    if (buffer.left() > 0) return corrupt("bytes after its end");
    return message;
  } catch (const std::exception& e) {
    return corrupt(e.what());
  }
}

#define WINNOW_CODEC(T, number)                              \
  template Frame encode<T>(const T&, std::uint64_t session); \
  template Result<T> decode<T>(const Frame&);
WINNOW_EVERY_MESSAGE(WINNOW_CODEC)
#undef WINNOW_CODEC

namespace {

struct BlockHeader {
  std::uint64_t block = 0;
  std::uint64_t first_trial = 0;
  std::uint32_t rows = 0;
  std::uint32_t metric_count = 0;
  std::uint32_t periods = 0;
  std::uint32_t error_count = 0;
  std::uint32_t exposures = 0;  ///< 1: there is a panel of them
  std::uint32_t unused = 0;
};

template <class T>
void append_column(std::string& out, const std::vector<T>& column) {
  out.append(reinterpret_cast<const char*>(column.data()), column.size() * sizeof(T));
}

template <class T>
bool take_column(std::string_view& in, std::vector<T>& column, std::uint64_t count) {
  if (count > in.size() / sizeof(T)) return false;
  column.resize(count);
  if (count > 0) std::memcpy(column.data(), in.data(), count * sizeof(T));
  in.remove_prefix(count * sizeof(T));
  return true;
}

}  // namespace

std::string encode_block(const ResultBlock& block) {
  const BlockHeader header{block.block,
                           block.first_trial,
                           block.rows,
                           block.metric_count,
                           block.periods,
                           static_cast<std::uint32_t>(block.errors.size()),
                           block.exposures.empty() ? 0u : 1u,
                           0};
  std::string out;
  out.append(reinterpret_cast<const char*>(&header), sizeof header);
  append_column(out, block.keys);
  append_column(out, block.metrics);
  append_column(out, block.returns);
  append_column(out, block.exposures);
  append_column(out, block.status);
  for (const std::string& text : block.errors) {
    const auto size = static_cast<std::uint32_t>(text.size());
    out.append(reinterpret_cast<const char*>(&size), sizeof size);
    out.append(text);
  }
  if (block.point_steps > 0) {
    const std::uint32_t shape[] = {block.point_metrics, block.point_steps};
    out.append(reinterpret_cast<const char*>(shape), sizeof shape);
    append_column(out, block.points);
  }
  const Hash128 sum = hash128(out);
  out.append(reinterpret_cast<const char*>(&sum.low), sizeof sum.low);
  return out;
}

Result<ResultBlock> decode_block(std::string_view bytes) {
  const Error corrupt(ErrorCode::Corrupt, "a result block of " + std::to_string(bytes.size()) +
                                              " bytes is damaged or cut off");
  BlockHeader header;
  if (bytes.size() < sizeof header + 8) return corrupt;
  std::string_view in = bytes.substr(0, bytes.size() - 8);
  std::uint64_t sum = 0;
  std::memcpy(&sum, bytes.data() + in.size(), 8);
  if (hash128(in).low != sum) return corrupt;
  std::memcpy(&header, in.data(), sizeof header);
  in.remove_prefix(sizeof header);
  ResultBlock block;
  block.block = header.block;
  block.first_trial = header.first_trial;
  block.rows = header.rows;
  block.metric_count = header.metric_count;
  block.periods = header.periods;
  const std::uint64_t rows = header.rows;
  if (!take_column(in, block.keys, rows) ||
      !take_column(in, block.metrics, rows * header.metric_count) ||
      !take_column(in, block.returns, rows * header.periods) ||
      !take_column(in, block.exposures, header.exposures != 0 ? rows * header.periods : 0) ||
      !take_column(in, block.status, rows)) {
    return corrupt;
  }
  for (std::uint32_t i = 0; i < header.error_count; ++i) {
    std::uint32_t size = 0;
    if (in.size() < sizeof size) return corrupt;
    std::memcpy(&size, in.data(), sizeof size);
    in.remove_prefix(sizeof size);
    if (in.size() < size) return corrupt;
    block.errors.emplace_back(in.substr(0, size));
    in.remove_prefix(size);
  }
  if (in.empty()) return block;
  std::uint32_t shape[2] = {};
  if (in.size() < sizeof shape) return corrupt;
  std::memcpy(shape, in.data(), sizeof shape);
  in.remove_prefix(sizeof shape);
  block.point_metrics = shape[0];
  block.point_steps = shape[1];
  const bool sound = shape[0] > 0 && shape[1] > 0 && rows > 0 &&
                     std::uint64_t{shape[0]} * shape[1] <= in.size() / sizeof(double);
  if (!sound || !take_column(in, block.points, std::uint64_t{shape[0]} * shape[1] * rows) ||
      !in.empty()) {
    return corrupt;
  }
  return block;
}

}  // namespace winnow::actors

namespace boost::archive {
template class detail::archive_serializer_map<winnow::actors::BoundedArchive>;
template class basic_binary_iarchive<winnow::actors::BoundedArchive>;
template class binary_iarchive_impl<winnow::actors::BoundedArchive, char, std::char_traits<char>>;
}  // namespace boost::archive
