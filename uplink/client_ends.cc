#include "uplink/client_ends.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "core/check.h"

namespace tidegate {

namespace {
// The threads of a client end within milliseconds, unless one of them waits for DNS.
constexpr std::chrono::milliseconds kLastWait{250};
}  // namespace

// Shared with the threads that end clients.
struct ClientEnds::State {
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex.
  size_t pending = 0;
};

ClientEnds::ClientEnds() : state_(std::make_shared<State>()) {}

ClientEnds::~ClientEnds() {
  std::unique_lock lock(state_->mutex);
  static_cast<void>(
      state_->changed.wait_for(lock, kLastWait, [this] { return state_->pending == 0; }));
}

void ClientEnds::End(kafka::ClientHandle client, std::shared_ptr<LinkState> link) {
  {
    const std::lock_guard lock(state_->mutex);
    ++state_->pending;
  }
  const auto ended = [state = state_] {
    const std::lock_guard lock(state->mutex);
    CHECK(state->pending > 0, "each client ends once");
    --state->pending;
    state->changed.notify_all();
  };
  try {
    std::thread([ended, link = std::move(link), client = std::move(client)]() mutable {
      client.reset();
      link.reset();
      ended();
    }).detach();
  } catch (const std::system_error&) {
    ended();  // No thread can be made: the client has ended here, with the function object.
  }
}

size_t ClientEnds::pending() const {
  const std::lock_guard lock(state_->mutex);
  return state_->pending;
}

}  // namespace tidegate
