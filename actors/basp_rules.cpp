#include "actors/basp_rules.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

namespace winnow::actors {
namespace {

// Operations of CAF's wire protocol that joining peers use (0 opens the serving side's stream, 3
// travels over third nodes, of which a farm has none).
enum Operation : std::uint8_t { Handshake = 1, Message = 2, Monitor = 4, Down = 5, Heartbeat = 6 };

constexpr std::uint8_t kNamedReceiver = 0x01;
constexpr std::uint8_t kSelectConnection = 0x02;
/// A message that expects no answer, of normal priority.
constexpr std::uint64_t kPlainMessage = 0x1000000000000000;
/// The end of an actor: both node ids, one byte, eight bytes, the context `()`.
constexpr std::size_t kDownExtraBytes = 15;

using namespace std::string_view_literals;
// "Tell me of your `info`", to CAF's configuration server, whose id is its name in 6 bits a letter.
constexpr std::uint64_t kConfigServer = 278614525059968507;
constexpr std::string_view kQuestion =
    "\x00\x00\x00\x14@<>+@atom+@atom+@str\x00\x00\x00\x00\x00?\x8f\xb8\x00\x00\x00\x00\x00>\xca\xb9"
    "\x04info"sv;
// The answer to the same question of the coordinator's: the peer's actor 1, on its own node.
constexpr std::string_view kAnswerHead =
    "\x00\x00\x00%@<>+@atom+@str+@strong_actor_ptr+@str\x00\x00\x00\x00\x00\x00\xfd\x30\x04info"
    "\x00\x00\x00\x00\x00\x00\x00\x01"sv;
constexpr std::string_view kAnswerTail = "\x0cspawn_server"sv;
constexpr std::string_view kNoContext = "\x00\x00\x03@<>"sv;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class T>
T big_endian(std::span<const std::byte> bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value << 8 | std::to_integer<T>(bytes[i]));
  }
  return value;
}

/// CAF's length of a string: seven bits a byte, lowest first.
std::optional<std::uint32_t> take_length(std::span<std::byte>& bytes) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4 && i < bytes.size(); ++i) {
    const auto b = std::to_integer<std::uint32_t>(bytes[i]);
    value |= (b & 0x7f) << (7 * i);
    if ((b & 0x80) != 0) continue;
    bytes = bytes.subspan(i + 1);
    return value;
  }
  return std::nullopt;
}

}  // namespace

Error BaspRules::refuse(const std::string& why) const {
  return Error(ErrorCode::Refused, "frame " + std::to_string(frames_) + ": " + why);
}

Status BaspRules::feed(std::span<std::byte> piece) {
  frame_bytes_ = 0;
  out_of_role_ = false;
  if (in_payload_) {
    WINNOW_TRY(check_payload(piece));
    in_payload_ = false;
    ++frames_;
    return {};
  }
  WINNOW_TRY(check_header(piece));
  in_payload_ = header_.payload > 0;
  if (!in_payload_) ++frames_;
  return {};
}

Status BaspRules::check_header(std::span<const std::byte> piece) {
  if (piece.size() != kHeaderBytes) return refuse("a header of another size");
  header_.operation = std::to_integer<std::uint8_t>(piece[0]);
  header_.flags = std::to_integer<std::uint8_t>(piece[3]);
  header_.payload = big_endian<std::uint32_t>(piece.subspan(4));
  header_.data = big_endian<std::uint64_t>(piece.subspan(8));
  header_.source = big_endian<std::uint64_t>(piece.subspan(16));
  header_.target = big_endian<std::uint64_t>(piece.subspan(24));
  const std::size_t id = home_.node.size();
  std::size_t least = 0, most = 0;
  bool fits = header_.flags == 0;
  switch (header_.operation) {
    case Handshake:
      fits = header_.flags == 0 || header_.flags == kSelectConnection;
      fits = fits && header_.data == 0 && header_.source == 0 && header_.target == 0;
      least = most = id;
      break;
    case Message:
      fits = header_.flags == 0 || header_.flags == kNamedReceiver;
      fits = fits && header_.data == kPlainMessage && header_.source != 0;
      least = std::min(kQuestion.size(), home_.frame_type.size());
      most = kFrameBytesMax + kFrameCostBytes;
      break;
    case Monitor:
      fits = fits && header_.data == 0 && header_.source == 0 && header_.target != 0;
      least = most = 2 * id;
      break;
    case Down:
      fits = fits && header_.data == 0 && header_.source != 0 && header_.target == 0;
      least = most = 2 * id + kDownExtraBytes;
      break;
    case Heartbeat:
      fits = fits && header_.data == 0 && header_.source == 0 && header_.target == 0;
      break;
    default:
      return refuse("operation " + std::to_string(header_.operation) + " is none that peers use");
  }
  if (!fits || piece[1] != std::byte{0} || piece[2] != std::byte{0}) {
    return refuse("the fields of its header do not fit to each other");
  }
  if (header_.payload < least || header_.payload > most) {
    return refuse("a payload of " + std::to_string(header_.payload) + " bytes; allowed are " +
                  std::to_string(least) + " to " + std::to_string(most));
  }
  if (peer_node_.empty() && header_.operation != Handshake) {
    return refuse("it comes before the handshake");
  }
  return {};
}

Status BaspRules::check_payload(std::span<std::byte> piece) {
  if (piece.size() != header_.payload) return refuse("a payload of another size");
  switch (header_.operation) {
    case Handshake:
      return check_handshake(piece);
    case Message:
      return check_message(piece);
    case Monitor:
      if (++monitors_ > kMonitorsMax) return refuse("too many monitors");
      return check_ends(piece);
    default: {
      WINNOW_TRY(check_sender());
      WINNOW_TRY(check_ends(piece));
      const bool plain = text_of(piece).ends_with(kNoContext);
      return plain ? Status() : refuse("the end of an actor with a reason that is no plain one");
    }
  }
}

Status BaspRules::check_handshake(std::span<const std::byte> piece) {
  if (++handshakes_ > kHandshakesMax) return refuse("too many handshakes");
  const std::string_view node = text_of(piece);
  constexpr std::size_t kKindOfId = 8;  // "default": made of an address and a process id
  if (node.substr(0, kKindOfId) != home_.node.substr(0, kKindOfId) || node == home_.node) {
    return refuse("a node id that no peer has");
  }
  if (!peer_node_.empty() && node != peer_node_) return refuse("a second node id");
  peer_node_ = node;
  return {};
}

// Monitors and ends name both nodes: a peer speaks of its own actors, to this process.
Status BaspRules::check_ends(std::span<const std::byte> piece) const {
  const std::string_view both = text_of(piece);
  if (both.substr(0, peer_node_.size()) == peer_node_ &&
      both.substr(peer_node_.size(), home_.node.size()) == home_.node) {
    return {};
  }
  return refuse("it speaks for another node");
}

Status BaspRules::check_sender() {
  senders_.insert(header_.source);
  return senders_.size() <= kSendersMax ? Status() : refuse("too many of its actors speak");
}

Status BaspRules::check_message(std::span<std::byte> piece) {
  WINNOW_TRY(check_sender());
  const std::string_view text = text_of(piece);
  if (header_.flags == kNamedReceiver) {
    const bool asks = header_.target == kConfigServer && text == kQuestion;
    return asks ? Status() : refuse("a message to an actor by its name");
  }
  if (header_.target == home_.published) return check_frame(piece);
  std::string_view rest = text;
  const auto takes = [&](std::string_view expected) {
    const bool there = rest.starts_with(expected);
    if (there) rest.remove_prefix(expected.size());
    return there;
  };
  if (header_.source == 1 && takes(kAnswerHead) && takes(peer_node_) && takes(kAnswerTail) &&
      rest.empty()) {
    return {};
  }
  return refuse("a message to actor " + std::to_string(header_.target) +
                ", which is not the coordinator");
}

// No forwarding stack, the type's name, version, kind, session, the body to the very end.
Status BaspRules::check_frame(std::span<std::byte> piece) {
  const std::string& name = home_.frame_type;
  std::span<std::byte> rest = piece;
  constexpr std::size_t kBeforeName = 4, kNumbers = 12;
  if (rest.size() < kBeforeName + name.size() + kNumbers ||
      text_of(rest.first(3)) != "\x00\x00\x00"sv ||
      std::to_integer<std::size_t>(rest[3]) != name.size() ||
      text_of(rest.subspan(kBeforeName, name.size())) != name) {
    return refuse("a message to the coordinator that is no frame of winnow");
  }
  const std::span<std::byte> numbers = rest.subspan(kBeforeName + name.size());
  rest = numbers.subspan(kNumbers);
  const auto size = take_length(rest);
  if (!size || *size != rest.size() || *size > kFrameBytesMax) {
    return refuse("a body that does not end with its frame");
  }
  frame_kind_ = static_cast<Kind>(big_endian<std::uint16_t>(numbers.subspan(2)));
  if (static_cast<std::uint16_t>(frame_kind_) > 0xff) return refuse("a kind that is none");
  numbers[2] = static_cast<std::byte>(role_);
  out_of_role_ = !may_send(role_, frame_kind_);
  frame_bytes_ = *size + kFrameCostBytes;
  return {};
}

}  // namespace winnow::actors
