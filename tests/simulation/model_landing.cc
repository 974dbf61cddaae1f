#include "tests/simulation/model_landing.h"

#include <utility>

#include "reader/database/document_json.h"

namespace tidegate::simulation {

using namespace reader;

Status ModelLanding::Reach() const {
  if (down_) return Error{ErrorCode::kUnavailable, "the database does not answer"};
  return {};
}

Status ModelLanding::Reach(const std::string& database) const {
  if (Status status = Reach(); !status.ok()) return status;
  if (database == dead_) return Error{ErrorCode::kUnavailable, database + " does not answer"};
  return {};
}

Result<std::vector<WriteResult>> ModelLanding::Write(std::span<const Document> documents) {
  if (Status status = Reach(); !status.ok()) return status.error();
  std::vector<WriteResult> results;
  for (const Document& document : documents) {
    if (Status status = Reach(document.ns.database); !status.ok()) {
      results.push_back({WriteOutcome::kUnavailable, status.error().message});
    } else {
      results.push_back({Insert(document), {}});
    }
  }
  if (std::exchange(lose_answer_, false))
    return Error{ErrorCode::kUnavailable, "the database's answer is lost"};
  return results;
}

WriteOutcome ModelLanding::Insert(const Document& document) {
  const DocumentKey key{document.ns, document.id};
  const Provenance& origin = document.provenance;
  const Landed landed{origin.topic, origin.partition, origin.offset, document.time,
                      origin.dead_letter};
  if (!database_.landed.emplace(key, landed).second) {
    ++duplicates_;
    return WriteOutcome::kDuplicate;
  }
  database_.bodies[key] = DocumentJson(document);
  ++landed_;
  if (on_landed_) on_landed_(document);
  return WriteOutcome::kLanded;
}

}  // namespace tidegate::simulation
