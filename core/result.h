// How every call that can fail returns its outcome. An error code names what the caller can do
// about it, not the library that failed. Immutable once returned; a success allocates nothing.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/check.h"

namespace tidegate {

enum class ErrorCode {
  // The request or the configuration can never work as it is.
  kInvalid,
  // This one item is refused for good; others may be accepted.
  kRejected,
  // Something else is down for now; the same call may succeed later.
  kUnavailable,
  // There is no room for now; the same call may succeed when something has been removed.
  kFull,
  // Stored bytes differ from what was written.
  kCorrupt,
};

struct [[nodiscard]] Error {
  ErrorCode code;
  // For people: operation, object, cause. Code never parses it.
  std::string message;

  // Returns whether the same call may succeed later although the caller changes nothing.
  bool retryable() const { return code == ErrorCode::kUnavailable || code == ErrorCode::kFull; }
};

// Either a T or an Error. REQUIRES: value(), * and -> are called on a T only, error() on an Error
// only; anything else aborts.
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

// Success or an Error. REQUIRES: error() is called on an Error only.
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
