// Where projections are kept, beside the documents that they are made from, and how far the landing
// has come. A projection is changed by loading it and saving it again only if nobody else has in
// between, so that two writers that both believe to be the one can do no harm. One store belongs to
// one thread; several may share one database.
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

// Of a document, by namespace and `_id`.
struct DocumentKey {
  Namespace ns;
  std::string id;

  auto operator<=>(const DocumentKey&) const = default;
};

// "<topic>/<partition>" -> an offset.
using Offsets = std::map<std::string, int64_t, std::less<>>;

struct Projection {
  DocumentKey key = {};
  Object members = {};   // Without `_id` and `tidegate`.
  int64_t revision = 0;  // tidegate.revision; 0: it is not there yet.
  Offsets folded = {};   // tidegate.folded: the last offset that it has taken in.
  Object state = {};     // tidegate.state: what its fold keeps for itself; left out when empty.
};

enum class SaveOutcome {
  kSaved,
  // Somebody else has saved it meanwhile, or it is not known whether this save was done: load it
  // again and fold in what it lacks.
  kConflict,
};

// What a landed document says about itself.
struct Landed {
  std::string topic;
  int32_t partition = 0;
  int64_t offset = 0;
  WallTime time{};  // Its `timestamp`.
  std::optional<LetterPlace> dead_letter = std::nullopt;
};

// Every error is kUnavailable: try the same again later. Calls wait at most the landing's limits of
// time (README.md).
class ProjectionStore {
 public:
  virtual ~ProjectionStore() = default;

  // One a key, in their order. REQUIRES: no key twice.
  virtual Result<std::vector<Projection>> Load(std::span<const DocumentKey> keys) = 0;

  // Each takes the place of the stored one if that has still its `revision`, and becomes the next
  // revision. One outcome a projection, in their order. After an error the outcome of all is
  // unknown. REQUIRES: no key twice.
  virtual Result<std::vector<SaveOutcome>> Save(std::span<const Projection> projections) = 0;

  // Of landed documents, in the order of the keys; nullopt: there is none.
  // REQUIRES: no key twice.
  virtual Result<std::vector<std::optional<Landed>>> FindLanded(
      std::span<const DocumentKey> keys) = 0;

  // Gives every landed document of the namespace as JSON, with times as UTC text: those of a
  // partition in the order of their offsets, one partition after the other. An error that `take`
  // returns ends it and comes back. REQUIRES: nothing else is asked of this store meanwhile.
  using TakeLanded = std::function<Status(std::string_view json)>;
  virtual Status EachLanded(const Namespace& ns, const TakeLanded& take) = 0;

  // Removes every document of the namespace; its indexes may go with them.
  virtual Status Clear(const Namespace& ns) = 0;

  // The landing's positions (collection kPositions of that database): everything before is landed
  // or given up. Partitions that have none are left out.
  virtual Result<Offsets> ReadPositions(const std::string& database,
                                        std::span<const std::string> partitions) = 0;
  // They only move forward: a smaller one than is there changes nothing.
  virtual Status WritePositions(const std::string& database, const Offsets& next, WallTime now) = 0;
};

inline constexpr const char* kPositions = "tidegate_positions";

}  // namespace tidegate::reader
