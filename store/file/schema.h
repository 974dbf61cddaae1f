// Opens the store's database file: tells ours from a foreign or a newer one, creates and migrates
// it, sets its pragmas. store/README.md describes the tables. Private to store/; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "store/file/size_budget.h"
#include "store/file/sqlite_handle.h"

namespace tidegate {

inline constexpr int64_t kApplicationId = 0x54476174;  // "TGat"
// What this code writes.
inline constexpr int64_t kStoreVersion = 2;

// Rows of table state.
inline constexpr std::string_view kStateEpoch = "epoch";
inline constexpr std::string_view kStateTotals = "totals";
// Written in turn, so that the one before stays until the newer one is certain.
inline constexpr std::array<std::string_view, 2> kStateSnapshots{"snapshot.0", "snapshot.1"};
// Before the names of Store::ReadValue.
inline constexpr std::string_view kStateValuePrefix = "value.";
inline constexpr std::string_view kStateLeastVersion =
    "least_version";  // Needed to read and write it.
inline constexpr std::string_view kStateProcessSafe =
    "process_safe";  // Commits of the last run were not synced.

// kCorrupt: not a store of Tidegate, or damaged. kInvalid: a later version wrote it. Both leave the
// file as it was. kUnavailable: cannot be opened or created.
Result<Database> OpenStoreDatabase(const std::string& path, const std::string& vfs,
                                   const SizeBudget& budget);

// For readers: is this one of ours, of a version that this code understands?
Status CheckStoreDatabase(Database& database, const std::string& path);

Result<std::optional<std::string>> ReadState(Database& database, std::string_view name);
Status WriteState(Database& database, std::string_view name, std::string_view body);
Status DeleteState(Database& database, std::string_view name);

}  // namespace tidegate
