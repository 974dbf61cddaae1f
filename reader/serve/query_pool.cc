#include "reader/serve/query_pool.h"

#include <fmt/format.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/check.h"
#include "reader/serve/problem.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

// The write succeeds as long as the eventfd's counter is below 2^64 - 1.
void Add(const UniqueFd& fd, uint64_t count) {
  [[maybe_unused]] const auto written = ::write(fd.get(), &count, sizeof(count));
}

http::Response Late() {
  return Problem(504, "the database did not answer in time");
}
}  // namespace

QueryPool::QueryPool(const Options& options, NewStore new_store, const Clock& clock, const Log& log)
    : options_(options),
      new_store_(std::move(new_store)),
      clock_(clock),
      log_(log),
      queue_({.threads = options.threads,
              .jobs = options.queue,
              .jobs_of_caller = options.queue_of_caller}) {}

QueryPool::~QueryPool() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  if (!threads_.empty()) Add(work_fd_, threads_.size());
  for (std::thread& thread : threads_) thread.join();
}

Status QueryPool::Start() {
  CHECK(threads_.empty(), "the pool is started once");
  work_fd_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE));
  finished_fd_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!work_fd_.valid() || !finished_fd_.valid())
    return Error{ErrorCode::kUnavailable, fmt::format("eventfd: {}", std::strerror(errno))};
  for (size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { Run(); });
  return {};
}

CircuitBreaker& QueryPool::BreakerOf(const std::string& server) {
  return breakers_.try_emplace(server, options_.breaker, std::hash<std::string>()(server))
      .first->second;
}

size_t QueryPool::servers_down() const {
  return static_cast<size_t>(
      std::ranges::count_if(breakers_, [](const auto& entry) { return entry.second.open(); }));
}

QueryPool::Admission QueryPool::Submit(Origin origin, Job job, http::Reply done) {
  CHECK(!threads_.empty(), "the pool is started");
  const BootTime now = clock_.SinceBoot();
  CircuitBreaker& breaker = BreakerOf(origin.server);
  if (!breaker.Allows(now)) return Admission::kServerDown;
  const BootTime deadline = now + options_.deadline;
  {
    const MutexLock lock(mutex_);
    const Admission admission = queue_.Push({next_id_, deadline, origin, std::move(job)});
    if (admission != Admission::kAccepted) return admission;
  }
  breaker.OnRequest();
  const bool added =
      pending_.emplace(next_id_++, Pending{deadline, std::move(origin), std::move(done)}).second;
  CHECK(added, "each job has an id of its own");
  Add(work_fd_, 1);
  return Admission::kAccepted;
}

void QueryPool::Collect() {
  uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(finished_fd_.get(), &count, sizeof(count));
  std::vector<Finished> finished;
  {
    const MutexLock lock(mutex_);
    finished.swap(finished_);
  }
  for (Finished& one : finished) {
    Account(one);
    if (const auto pending = pending_.extract(one.id))
      pending.mapped().done(std::move(one.outcome.response));
  }
  AnswerLate();
}

void QueryPool::Account(const Finished& finished) {
  const std::string& server = finished.origin.server;
  CircuitBreaker& breaker = BreakerOf(server);
  if (!finished.ran) return breaker.OnDropped();
  if (finished.outcome.server_answered) {
    breaker.OnSuccess();
  } else {
    breaker.OnFailure(clock_.SinceBoot());
  }
  {
    const MutexLock lock(mutex_);
    queue_.Suspect(server, !finished.outcome.server_answered);
  }
  if (!breaker.open()) return;
  if (const auto times = server_log_.Count(clock_.SinceBoot()))
    log_.Warning("api: {} does not answer ({} times); its queries are refused for a while",
                 server.empty() ? "the database" : "the server of database " + server, *times);
}

void QueryPool::AnswerLate() {
  const BootTime now = clock_.SinceBoot();
  while (!pending_.empty() && pending_.begin()->second.deadline <= now) {
    const auto late = pending_.extract(pending_.begin());
    const std::string& server = late.mapped().origin.server;
    bool waited = false;
    {
      const MutexLock lock(mutex_);
      waited = queue_.Remove(late.key());
      // It has the deadline, too: if it still has not answered, it may never do.
      if (!waited) queue_.Suspect(server, true);
    }
    if (waited) BreakerOf(server).OnDropped();
    late.mapped().done(Late());
  }
}

std::optional<BootTime> QueryPool::NextDeadline() const {
  if (pending_.empty()) return std::nullopt;
  return pending_.begin()->second.deadline;
}

std::optional<QueryQueue::Item> QueryPool::NextItem() {
  for (;;) {
    uint64_t one = 0;
    while (::read(work_fd_.get(), &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    const MutexLock lock(mutex_);
    if (stopping_) return std::nullopt;
    if (auto item = queue_.Pop()) return item;
    held_back_ = std::min<uint64_t>(held_back_ + 1, queue_.size());
  }
}

void QueryPool::Run() {
  std::unique_ptr<QueryStore> store;
  while (const std::optional<QueryQueue::Item> item = NextItem()) {
    Finished finished = Execute(*item, store);
    uint64_t wake = 0;
    {
      const MutexLock lock(mutex_);
      queue_.Finished(item->origin);
      finished_.push_back(std::move(finished));
      wake = std::exchange(held_back_, 0);
    }
    Add(work_fd_, wake);
    Add(finished_fd_, 1);
  }
}

QueryPool::Finished QueryPool::Execute(const QueryQueue::Item& item,
                                       std::unique_ptr<QueryStore>& store) {
  Finished finished{.id = item.id, .origin = item.origin};
  if (!store) {
    const MutexLock lock(store_mutex_);
    auto made = new_store_();
    if (!made.ok()) {
      log_.Debug("api: {}", made.error().message);
      finished.outcome = {Problem(made.error()), false};
      return finished;
    }
    store = std::move(made).value();
  }
  const auto left = std::chrono::floor<milliseconds>(item.deadline - clock_.SinceBoot());
  // Collect() has answered this job already, or will before it sees this result.
  finished.ran = left > milliseconds::zero();
  if (finished.ran) finished.outcome = item.job(*store, left);
  return finished;
}

}  // namespace tidegate::reader
