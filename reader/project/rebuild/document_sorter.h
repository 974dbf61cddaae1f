// Brings landed documents into the order in which folds need them, which is not the one in which a
// database returns them: replayed dead letters by their place in the dead-letter topic, and the
// documents of each asset by time, whatever partitions and collections they are in. Keeps them in a
// temporary SQLite file that is removed with the object ($SQLITE_TMPDIR, $TMPDIR, /var/tmp), of
// about the size of these documents. Thread: one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"
#include "core/sqlite/database.h"
#include "reader/database/namespace.h"

namespace tidegate::reader {

class DocumentSorter {
 public:
  struct Entry {
    Namespace ns;
    // The stored document as JSON.
    std::string_view text;
    std::string asset;
    // As in Event.
    std::string partition;
    int64_t offset = 0;
    WallTime time{};
    bool is_letter = false;
    bool has_state = false;
  };
  using Take = std::function<Status(const Namespace& ns, std::string_view text)>;

  // kUnavailable: there is no room for the file.
  static Result<DocumentSorter> Open();

  Status Add(const Entry& entry);
  // Calls `take` with each letter, those of a partition in the order of their offsets. The first
  // error of `take` ends the call and is returned.
  Status EachLetter(const Take& take);
  // Likewise with each document that has state, those of an asset by time. As in InOrderOfTime(), a
  // document counts as no older than its predecessors of the asset and partition.
  Status EachByTime(const Take& take);

 private:
  explicit DocumentSorter(sqlite::Database database) : database_(std::move(database)) {}
  Status Each(std::string_view sql, const Take& take);

  sqlite::Database database_;
  sqlite::Statement insert_;
};

}  // namespace tidegate::reader
