// Opens the store's database file: distinguishes a store from a foreign file or one of a later
// version, creates and migrates it, and sets its pragmas. store/README.md describes the tables.
// Private to store/; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/sqlite/database.h"
#include "store/file/size_budget.h"

namespace tidegate {

inline constexpr int64_t kApplicationId = 0x54476174;  // "TGat"
// The format version that this code writes.
inline constexpr int64_t kStoreVersion = 3;
// The least version that this code writes into new and migrated files: version 2 does not know
// where a dead letter's whole size is, and stores letters without it.
inline constexpr int64_t kLeastVersion = 2;

// Names of rows of table state.
inline constexpr std::string_view kStateEpoch = "epoch";
inline constexpr std::string_view kStateTotals = "totals";
// Written in turn, so that the previous snapshot stays until the newer one is certain.
inline constexpr std::array<std::string_view, 2> kStateSnapshots{"snapshot.0", "snapshot.1"};
// Prefix of the names of Store::ReadValue.
inline constexpr std::string_view kStateValuePrefix = "value.";
// The oldest format version whose code may read and write the file, decimal.
inline constexpr std::string_view kStateLeastVersion = "least_version";
// How many dropped dead letters no gap record declares yet, decimal.
inline constexpr std::string_view kStateLettersUndeclared = "letters_undeclared";
// Present if the last run did not sync its commits.
inline constexpr std::string_view kStateProcessSafe = "process_safe";

// Opens the file, or creates it if it is missing or empty. kCorrupt: not a store of Tidegate, or
// damaged. kInvalid: a later version wrote it. Both leave the file unchanged. kUnavailable: it
// cannot be opened or created.
Result<sqlite::Database> OpenStoreDatabase(const std::string& path, const std::string& vfs,
                                           const SizeBudget& budget);

// Checks, for readers, that the database is a store of a version that this code understands. Errors
// as OpenStoreDatabase.
Status CheckStoreDatabase(sqlite::Database& database, const std::string& path);

// Read, write and delete one row of table state; nullopt: there is no such row.
Result<std::optional<std::string>> ReadState(sqlite::Database& database, std::string_view name);
// Returns the rows whose names begin with `prefix`, which is not empty, in the order of their
// names.
Result<std::vector<std::pair<std::string, std::string>>> ReadStates(sqlite::Database& database,
                                                                    std::string_view prefix);
Status WriteState(sqlite::Database& database, std::string_view name, std::string_view body);
Status DeleteState(sqlite::Database& database, std::string_view name);

}  // namespace tidegate
