// A landing in memory whose faults are scripted. One thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "reader/database/document_store.h"

namespace tidegate::reader {

class FakeDocumentStore final : public DocumentStore {
 public:
  Result<std::vector<WriteResult>> Write(std::span<const Document> documents) override;
  Status EnsureIndexes(const Namespace& ns, std::span<const Index> indexes) override;
  Result<size_t> Expire(const Namespace& ns, WallTime now, size_t limit) override;
  Status Ping() override;

  // Every call returns kUnavailable until Restore().
  void TakeDown() { down_ = true; }
  void Restore() { down_ = false; }
  // Documents in that database alone are kUnavailable until Restore() of it.
  void TakeDown(const std::string& database) { down_databases_.insert(database); }
  void Restore(const std::string& database) { down_databases_.erase(database); }
  // The next write stores the documents and returns kUnavailable: the answer is lost, not the data.
  void LoseNextAnswer() { lose_answer_ = true; }
  void Reject(const std::string& id) { rejected_.insert(id); }
  // The next `times` writes of that document return kRetry.
  void Conflict(const std::string& id, int times) { conflicts_[id] = times; }

  // So many heartbeats have expired, in any database.
  void SetExpired(size_t documents) { expired_ = documents; }
  size_t expired_left() const { return expired_; }

  // Every Write() that reaches the database calls the hook, which may let time pass.
  void OnWrite(std::function<void()> hook) { on_write_ = std::move(hook); }
  // The same for every EnsureIndexes(), also of a database that is down.
  void OnEnsureIndexes(std::function<void(const Namespace&)> hook) { on_ensure_ = std::move(hook); }

  size_t count() const { return documents_.size(); }
  bool Has(const std::string& id) const { return ids_.contains(id); }
  // In the order in which they landed.
  const std::vector<std::string>& landed() const { return landed_; }
  // Calls of Write() that reached the database.
  size_t writes() const { return writes_; }
  const std::set<Namespace>& indexed() const { return indexed_; }

 private:
  WriteResult WriteOne(const Document& document);

  std::set<std::pair<Namespace, std::string>> documents_;
  // In all namespaces.
  std::set<std::string> ids_;
  std::vector<std::string> landed_;
  std::set<Namespace> indexed_;
  std::set<std::string> rejected_;
  std::map<std::string, int> conflicts_;
  size_t expired_ = 0;
  std::function<void()> on_write_;
  std::function<void(const Namespace&)> on_ensure_;
  bool down_ = false;
  std::set<std::string> down_databases_;
  bool lose_answer_ = false;
  size_t writes_ = 0;
};

}  // namespace tidegate::reader
