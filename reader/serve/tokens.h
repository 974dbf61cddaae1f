// Who may ask: the bearer tokens of the credential `api.tokens`, each bound to tenants and a role.
// Only digests are kept. Constant once read; any thread.
//
// One token a line; blank lines and those that begin with # are skipped:
//   <token, or sha256:<its digest, 64 hexadecimal digits>> tenants=<a,b or *> role=<read or admin>
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tidegate::reader {

enum class Role : uint8_t { kRead, kAdmin };

struct Principal {
  bool every_tenant = false;
  std::set<std::string, std::less<>> tenants = {};  // If not every one.
  Role role = Role::kRead;

  bool MaySee(std::string_view tenant) const { return every_tenant || tenants.contains(tenant); }
};

class TokenTable {
 public:
  static constexpr size_t kMaxTokens = 1'000;
  static constexpr size_t kMinTokenBytes = 16;  // Of one that is given in plain text.
  static constexpr size_t kMaxTokenBytes = 512;

  // kInvalid: the line's number and what is wrong with it; no message holds a token.
  static Result<TokenTable> Parse(std::string_view text);

  // Whose token the Authorization header holds; nullptr: nobody's. The time that it takes tells
  // nothing about the tokens. The number is the line's place among the tokens.
  const Principal* Find(std::string_view authorization, size_t* number) const;
  size_t size() const { return entries_.size(); }

 private:
  using Digest = std::array<uint8_t, 32>;
  struct Entry {
    Digest digest{};
    Principal principal;
  };
  static Result<Entry> ParseLine(std::string_view line);

  std::vector<Entry> entries_;
};

}  // namespace tidegate::reader
