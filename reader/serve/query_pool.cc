#include "reader/serve/query_pool.h"

#include <fmt/format.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <cstring>

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
    : options_(options), new_store_(std::move(new_store)), clock_(clock), log_(log) {}

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

bool QueryPool::Submit(Job job, http::Reply done) {
  CHECK(!threads_.empty(), "the pool is started");
  const BootTime deadline = clock_.SinceBoot() + options_.deadline;
  {
    const MutexLock lock(mutex_);
    if (queue_.size() >= options_.queue) return false;
    queue_.push_back({next_id_, deadline, std::move(job)});
    CHECK(queue_.size() <= options_.queue, "the queue is bounded");
  }
  const bool added = pending_.emplace(next_id_++, Pending{deadline, std::move(done)}).second;
  CHECK(added, "each job has an id of its own");
  Add(work_fd_, 1);
  return true;
}

void QueryPool::Collect() {
  uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(finished_fd_.get(), &count, sizeof(count));
  std::vector<std::pair<uint64_t, http::Response>> finished;
  {
    const MutexLock lock(mutex_);
    finished.swap(finished_);
  }
  for (auto& [id, response] : finished) {
    if (const auto pending = pending_.extract(id)) pending.mapped().done(std::move(response));
  }
  const BootTime now = clock_.SinceBoot();
  while (!pending_.empty() && pending_.begin()->second.deadline <= now)
    pending_.extract(pending_.begin()).mapped().done(Late());
}

std::optional<BootTime> QueryPool::NextDeadline() const {
  if (pending_.empty()) return std::nullopt;
  return pending_.begin()->second.deadline;
}

std::optional<QueryPool::Item> QueryPool::NextItem() {
  uint64_t one = 0;
  while (::read(work_fd_.get(), &one, sizeof(one)) < 0 && errno == EINTR) {
  }
  const MutexLock lock(mutex_);
  if (stopping_ || queue_.empty()) return std::nullopt;
  Item item = std::move(queue_.front());
  queue_.pop_front();
  return item;
}

void QueryPool::Run() {
  std::unique_ptr<QueryStore> store;
  while (std::optional<Item> item = NextItem()) {
    http::Response response = Execute(*item, store);
    {
      const MutexLock lock(mutex_);
      finished_.emplace_back(item->id, std::move(response));
    }
    Add(finished_fd_, 1);
  }
}

http::Response QueryPool::Execute(const Item& item, std::unique_ptr<QueryStore>& store) {
  if (!store) {
    const MutexLock lock(store_mutex_);
    auto made = new_store_();
    if (!made.ok()) {
      log_.Debug("api: {}", made.error().message);
      return Problem(made.error());
    }
    store = std::move(made).value();
  }
  const auto left = std::chrono::floor<milliseconds>(item.deadline - clock_.SinceBoot());
  // Collect() has answered this job already, or will before it sees this result.
  if (left <= milliseconds::zero()) return Late();
  return item.job(*store, left);
}

}  // namespace tidegate::reader
