// A document store on several servers: a database that has a server of its own is written there,
// every other one on the common server. Write() writes to all servers at once, and to several
// collections of a server at once; its threads end before it returns. A server or a database that
// fails harms no other one: its documents alone are kUnavailable.
//
// A server that kept the others waiting is not written to for ten times as long as it took, so that
// the others keep nine tenths of their rate; its documents are kUnavailable without an attempt.
// Private to this folder; one thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "reader/database/document_store.h"
#include "reader/database/routed/write_share.h"

namespace tidegate::reader {

class FannedStore final : public DocumentStore {
 public:
  struct Server {
    // All on the same server. REQUIRES: not empty.
    std::vector<std::unique_ptr<DocumentStore>> stores;
    // Each namespace is written by a call of its own. False for a file, which makes one transaction
    // of all of them.
    bool by_namespace = true;
    // No write before this.
    BootTime closed_until{};
    std::string closed_reason = {};
  };
  using Servers = std::map<std::string, Server>;

  // `own` is by the name of the database. nullptr as `clock`: no server is ever left out.
  FannedStore(Server common, Servers own, const Clock* clock);

  Result<std::vector<WriteResult>> Write(std::span<const Document> documents) override;
  Status EnsureIndexes(const Namespace& ns, std::span<const Index> indexes) override {
    return Of(ns.database).stores.front()->EnsureIndexes(ns, indexes);
  }
  Result<size_t> Expire(const Namespace& ns, WallTime now, size_t limit) override {
    return Of(ns.database).stores.front()->Expire(ns, now, limit);
  }
  // Asks the common server, which holds the positions.
  Status Ping() override { return common_.stores.front()->Ping(); }

 private:
  struct Job;

  Server& Of(const std::string& database);
  void Run(std::deque<Job>& jobs);
  // Leaves a server out for a while if the others waited for it.
  void Judge(std::deque<Job>& jobs);

  Server common_;
  Servers own_;
  const Clock* const clock_;
};

}  // namespace tidegate::reader
