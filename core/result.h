// How every call that can fail reports its outcome. An error is named after what the caller can do
// about it, not after the library that failed. Any thread; nothing here allocates on success.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/check.h"

namespace tidegate {

enum class ErrorCode {
  kInvalid,      // The request or the configuration can never work as it is.
  kRejected,     // This one item is refused for good; others may pass.
  kUnavailable,  // Something else is down for now: try the same again later.
  kFull,         // No room for now: try again when something has been taken away.
  kCorrupt,      // Stored bytes do not read as what was written.
};

struct [[nodiscard]] Error {
  ErrorCode code;
  std::string message;  // For people: operation, object, cause. Code never parses it.

  // True if the same call may succeed later although the caller changes nothing.
  bool retryable() const { return code == ErrorCode::kUnavailable || code == ErrorCode::kFull; }
};

// Either a T or an Error. Reading the side that is not there is a bug and aborts.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    CHECK(ok(), "the result has a value");
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    CHECK(ok(), "the result has a value");
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    CHECK(ok(), "the result has a value");
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    CHECK(!ok(), "the result has an error");
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

// Success, or an Error.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}
  template <typename T>
  explicit Status(const Result<T>& result) {
    if (!result.ok()) error_ = result.error();
  }

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    CHECK(!ok(), "the status has an error");
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace tidegate
