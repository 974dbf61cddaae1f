// Stores projections in the databases of the documents that they are made from, and the landing's
// positions. A projection is loaded, changed, and saved only if its stored revision is still the
// one that was loaded, so that two writers do no harm. One store belongs to one thread; several may
// share one database.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "reader/database/document.h"
#include "reader/database/value.h"

namespace tidegate::reader {

// The key of a document: its namespace and `_id`.
struct DocumentKey {
  Namespace ns;
  std::string id;

  auto operator<=>(const DocumentKey&) const = default;
};

// "<topic>/<partition>" -> an offset.
using Offsets = std::map<std::string, int64_t, std::less<>>;

struct Projection {
  DocumentKey key = {};
  // All members but `_id` and `tidegate`.
  Object members = {};
  // tidegate.revision, which grows by 1 with each save; 0: it is not stored yet.
  int64_t revision = 0;
  // tidegate.folded: the offset of the last document that it has folded, by partition.
  Offsets folded = {};
  // tidegate.state: what its fold needs for the next document; not written if empty.
  Object state = {};
  // tidegate.expires_at: when the database may remove it; not written without a value: never.
  std::optional<WallTime> expires_at = std::nullopt;
};

enum class SaveOutcome {
  kSaved,
  // Another writer has saved it meanwhile, or it is unknown whether this save was done: load it
  // again and fold what it has not folded.
  kConflict,
  // The database will never accept this projection: it is too large or invalid.
  kRefused,
};

// The origin of a landed document.
struct Landed {
  std::string topic;
  int32_t partition = 0;
  int64_t offset = 0;
  // The document's `timestamp`.
  WallTime time{};
  std::optional<LetterPlace> dead_letter = std::nullopt;
  // When the reader that landed the document received its message.
  WallTime received_at{};
  // Which of the logs that its partition has had contained the message.
  int64_t epoch = 0;
};

// Every error is kUnavailable: try the same again later. Calls wait at most the landing's time
// limits (README.md).
class ProjectionStore {
 public:
  virtual ~ProjectionStore() = default;

  // Returns one projection for each key, in their order. REQUIRES: no key twice.
  virtual Result<std::vector<Projection>> Load(std::span<const DocumentKey> keys) = 0;

  // Replaces each stored projection that still has the given revision, and raises the revision
  // by 1. Returns one outcome for each projection, in their order, which the stores guard by a
  // CHECK. After an error the outcome of all is unknown. REQUIRES: no key twice.
  virtual Result<std::vector<SaveOutcome>> Save(std::span<const Projection> projections) = 0;

  // Returns the origin of each landed document, in the order of the keys; nullopt: no document has
  // the key. REQUIRES: no key twice.
  virtual Result<std::vector<std::optional<Landed>>> FindLanded(
      std::span<const DocumentKey> keys) = 0;

  // Calls `take` with every landed document of the namespace as JSON, with times as UTC text. The
  // documents of a partition come in the order of their offsets, one partition after the other. The
  // first error of `take` ends the call and is returned. REQUIRES: `take` does not use this store.
  using TakeLanded = std::function<Status(std::string_view json)>;
  virtual Status EachLanded(const Namespace& ns, const TakeLanded& take) = 0;

  // Removes every document of the namespace, and possibly its indexes.
  virtual Status Clear(const Namespace& ns) = 0;

  // Returns the landing's positions from the collection kPositions of the database. Every message
  // before a partition's position has landed or is in the dead letters. Partitions without a
  // position are not returned.
  virtual Result<Offsets> ReadPositions(const std::string& database,
                                        std::span<const std::string> partitions) = 0;
  // Positions only move forward: one that is smaller than the stored one changes nothing.
  virtual Status WritePositions(const std::string& database, const Offsets& next, WallTime now) = 0;
};

inline constexpr const char* kPositions = "tidegate_positions";

}  // namespace tidegate::reader
