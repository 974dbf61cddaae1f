// Who may ask: the bearer tokens of the credential `api.tokens`, each bound to tenants and a role.
// Only the tokens' SHA-256 digests are kept. Constant once parsed; any thread.
//
// Each line holds one token; blank lines and lines that begin with # are skipped:
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

// What the owner of a token may do.
struct Principal {
  bool every_tenant = false;
  // The tenants whose documents it may see, unless it may see every tenant's.
  std::set<std::string, std::less<>> tenants = {};
  Role role = Role::kRead;

  bool MaySee(std::string_view tenant) const { return every_tenant || tenants.contains(tenant); }
};

class TokenTable {
 public:
  static constexpr size_t kMaxTokens = 1'000;
  // The shortest token that is accepted in plain text.
  static constexpr size_t kMinTokenBytes = 16;
  static constexpr size_t kMaxTokenBytes = 512;

  // kInvalid: the message has the line's number and what is wrong with it, never a token.
  static Result<TokenTable> Parse(std::string_view text);

  // Returns the owner of the token in the Authorization header's value, valid as long as the table;
  // nullptr: there is no such token. Sets `*number`, if it is not nullptr, to the token's place
  // among the tokens. The time that it takes does not depend on the tokens.
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
