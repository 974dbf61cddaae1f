// Who may ask: the bearer tokens of the credential `api.tokens`, each bound to tenants and a role.
// Only the tokens' SHA-256 digests are kept. Constant once parsed; any thread.
//
// Each line holds one token; blank lines and lines that begin with # are skipped:
//   <token, or sha256:<its digest, 64 hexadecimal digits>> tenants=<a,b or *> role=<read or admin>
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

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
  // The shortest token that is accepted in plain text.
  static constexpr size_t kMinTokenBytes = 16;
  static constexpr size_t kMaxTokenBytes = 512;

  // kInvalid: the message has the line's number and what is wrong with it, never a token.
  static Result<TokenTable> Parse(std::string_view text);

  // Returns the owner of the token in the Authorization header's value, valid as long as the table;
  // nullptr: there is no such token. Sets `*name`, if it is not nullptr, to a name of the token for
  // people, which stays the same in every table: the begin of its digest. Tokens are found by their
  // digest, so that the time it takes says nothing about a token.
  const Principal* Find(std::string_view authorization, std::string* name) const;
  size_t size() const { return principals_.size(); }

 private:
  using Digest = std::array<uint8_t, 32>;
  using Entry = std::pair<Digest, Principal>;
  static Result<Entry> ParseLine(std::string_view line);

  std::map<Digest, Principal> principals_;
};

}  // namespace tidegate::reader
