// Reads the list of tenants from a file: a JSON array of names, or of objects for tenants that have
// settings of their own. Pure.
//
//   ["acme", {"name": "north-1", "retention": "90d", "landing": "mongodb://..."}]
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "reader/database/retention.h"

namespace tidegate::reader {

struct TenantEntry {
  std::string name = {};
  // No value: the common one. A value that is nullopt: documents are kept for ever.
  std::optional<Retention::Period> retention = std::nullopt;
  // The URI of a server of its own, perhaps with a password; empty: the common server.
  std::string landing = {};
};

// The shortest retention: databases look for expired documents once a minute.
inline constexpr std::chrono::milliseconds kShortestRetention = std::chrono::minutes(1);
// nullopt: the text is neither `forever` nor a duration of at least kShortestRetention.
std::optional<Retention::Period> ParseRetention(std::string_view text);

// kInvalid: what is wrong, with the tenant's name or place in the list, never with a URI. A tenant
// that is listed twice is wrong, and so is an empty list, which would mean any tenant.
Result<std::vector<TenantEntry>> ParseTenantFile(std::string_view text);

}  // namespace tidegate::reader
