#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.hpp"

namespace winnow {

/// What a caller may react to. A code exists only if some caller treats it differently; the rest is
/// in the text. The command line maps them to exit statuses (see cli/).
enum class ErrorCode {
  InvalidInput,  ///< the user's text, file or option is wrong; exit status 2
  NotFound,      ///< a named thing does not exist; exit status 2
  Refused,       ///< a gate, limit or authority says no; exit status 3
  Cancelled,     ///< stopped on request, resumable; exit status 130
  Unavailable,   ///< a peer, port or lock is not there now; trying again may help
  Io,            ///< the operating system refused a file or socket operation
  Corrupt,       ///< stored bytes are not what was written
  Internal,      ///< a broken promise inside Winnow
};

/// Purpose: a failure that a person can act on. The text names the offending value, where it came
/// from and what is allowed.
class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string text) : code_(code), text_(std::move(text)) {}

  ErrorCode code() const { return code_; }
  const std::string& text() const { return text_; }

  /// The same failure seen from further out: `context: text`.
  Error within(std::string_view context) const {
    return Error(code_, std::string(context) + ": " + text_);
  }

 private:
  ErrorCode code_;
  std::string text_;
};

inline Error bad_input(std::string why) { return Error(ErrorCode::InvalidInput, std::move(why)); }

/// Purpose: a value or the reason there is none. Must be read.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: by design

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// Requires: ok().
  T& value() & {
    WINNOW_REQUIRES(ok());
    return std::get<0>(state_);
  }
  const T& value() const& {
    WINNOW_REQUIRES(ok());
    return std::get<0>(state_);
  }
  T&& value() && {
    WINNOW_REQUIRES(ok());
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// Requires: !ok().
  const Error& error() const {
    WINNOW_REQUIRES(!ok());
    return std::get<1>(state_);
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: by design

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  /// Requires: !ok().
  const Error& error() const {
    WINNOW_REQUIRES(!ok());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

/// Leaves the calling function with the error of `expr` (a Result) if it has one.
#define WINNOW_TRY(expr)                                                          \
  do {                                                                            \
    if (auto winnow_try_ = (expr); !winnow_try_.ok()) return winnow_try_.error(); \
  } while (false)

}  // namespace winnow
