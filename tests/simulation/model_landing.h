// A model of the database that documents land in, with faults that the world orders. It shares its
// contents with the projections (MemoryDatabase). One thread.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "reader/database/document_store.h"
#include "tests/support/reader/memory_projection_store.h"

namespace tidegate::simulation {

class ModelLanding final : public reader::DocumentStore {
 public:
  // `database` outlives the landing.
  explicit ModelLanding(reader::MemoryDatabase& database) : database_(database) {}

  Result<std::vector<reader::WriteResult>> Write(
      std::span<const reader::Document> documents) override;
  Status EnsureIndexes(const reader::Namespace&, std::span<const reader::Index>) override {
    return Reach();
  }
  Status Ping() override { return Reach(); }

  void SetDown(bool down) { down_ = down; }
  // One database does not answer, while the others do.
  void SetDead(std::string database) { dead_ = std::move(database); }
  Status Reach(const std::string& database) const;
  // The next write is done, and its answer is lost.
  void LoseNextAnswer() { lose_answer_ = true; }
  // Called for each document that is inserted.
  void OnLanded(std::function<void(const reader::Document&)> hook) { on_landed_ = std::move(hook); }
  // Documents that were inserted, and writes of documents that were there already.
  uint64_t landed() const { return landed_; }
  uint64_t duplicates() const { return duplicates_; }

 private:
  Status Reach() const;
  reader::WriteOutcome Insert(const reader::Document& document);

  reader::MemoryDatabase& database_;
  bool down_ = false;
  std::string dead_;
  bool lose_answer_ = false;
  std::function<void(const reader::Document&)> on_landed_;
  uint64_t landed_ = 0;
  uint64_t duplicates_ = 0;
};

}  // namespace tidegate::simulation
