#include "reader/database/routed/fanned_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <thread>
#include <utility>

#include "core/check.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

// A server that takes longer than this, while others have answered, is left out for a while.
constexpr milliseconds kSlow{2'000};
constexpr int kRest = 10;
}  // namespace

// What one server has to do in one call.
struct FannedStore::Job {
  Job(Server& of, std::span<const Document> documents, std::span<WriteResult> results,
      bool one_fate)
      : server(&of), share(documents, results, one_fate) {}

  Server* server;
  WriteShare share;
  BootTime began{};
  // When the last of its threads had ended.
  std::atomic<BootTime::rep> ended{0};
};

FannedStore::FannedStore(Server common, Servers own, const Clock* clock)
    : common_(std::move(common)), own_(std::move(own)), clock_(clock) {
  CHECK(!common_.stores.empty(), "a server has a store");
  for (const auto& [database, server] : own_) CHECK(!server.stores.empty(), "a server has a store");
}

FannedStore::Server& FannedStore::Of(const std::string& database) {
  const auto own = own_.find(database);
  return own == own_.end() ? common_ : own->second;
}

Result<std::vector<WriteResult>> FannedStore::Write(std::span<const Document> documents) {
  std::vector<WriteResult> results(documents.size());
  std::deque<Job> jobs;
  for (size_t first = 0; first < documents.size();) {
    const Namespace& ns = documents[first].ns;
    Server& server = Of(ns.database);
    size_t count = 1;
    const auto together = [&](const Document& next) {
      return server.by_namespace ? next.ns == ns : &Of(next.ns.database) == &server;
    };
    while (first + count < documents.size() && together(documents[first + count])) ++count;
    auto job = std::ranges::find(jobs, &server, &Job::server);
    if (job == jobs.end()) {
      const bool one_fate = !server.by_namespace || &server != &common_;
      jobs.emplace_back(server, documents, results, one_fate);
      job = std::prev(jobs.end());
    }
    job->share.Add({first, count});
    first += count;
  }
  Run(jobs);
  Judge(jobs);
  return results;
}

void FannedStore::Run(std::deque<Job>& jobs) {
  std::vector<std::thread> threads;
  std::vector<std::pair<Job*, DocumentStore*>> parts;
  for (Job& job : jobs) {
    Server& server = *job.server;
    if (clock_) job.began = clock_->SinceBoot();
    if (clock_ && job.began < server.closed_until) {
      job.share.Refuse(server.closed_reason);
      continue;
    }
    const size_t width = std::min(server.stores.size(), job.share.runs());
    for (size_t i = 0; i < width; ++i) parts.emplace_back(&job, server.stores[i].get());
  }
  const auto write = [this](Job& job, DocumentStore& store) {
    job.share.WriteRuns(store);
    if (clock_) job.ended = clock_->SinceBoot().count();
  };
  // The calling thread writes one part itself, and no thread is started for a single one.
  for (size_t i = 1; i < parts.size(); ++i)
    threads.emplace_back([&write, part = parts[i]] { write(*part.first, *part.second); });
  if (!parts.empty()) write(*parts.front().first, *parts.front().second);
  for (std::thread& thread : threads) thread.join();
}

void FannedStore::Judge(std::deque<Job>& jobs) {
  if (!clock_ || jobs.size() < 2) return;
  const auto took = [](const Job& job) {
    return std::max(BootTime(job.ended) - job.began, BootTime::duration::zero());
  };
  for (Job& job : jobs) {
    if (job.server == &common_ || took(job) < kSlow) continue;
    const bool waited =
        std::ranges::any_of(jobs, [&](const Job& other) { return took(other) * 2 < took(job); });
    if (!waited) continue;
    const auto rest = took(job) * kRest;
    job.server->closed_until = clock_->SinceBoot() + rest;
    job.server->closed_reason =
        fmt::format("its server took {} ms, while others waited",
                    std::chrono::duration_cast<milliseconds>(took(job)).count());
  }
}

}  // namespace tidegate::reader
