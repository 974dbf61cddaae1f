#include "drivers/mqtt/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "core/check.h"
#include "core/unique_fd.h"

namespace tidegate {
namespace {

struct AddressesDeleter {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, AddressesDeleter>;

Error Unavailable(const std::string& host, const char* cause) {
  return Error{ErrorCode::kUnavailable, "resolve " + host + ": " + cause};
}

Resolver::Answer LookUp(const std::string& host) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0) {
    return Unavailable(host, gai_strerror(error));
  }
  const Addresses addresses(list);
  std::vector<std::string> numeric;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(at->ai_addr, at->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      numeric.emplace_back(text.data());
    }
  }
  if (numeric.empty()) return Unavailable(host, "no address");
  return numeric;
}

}  // namespace

// Shared by the resolver and the thread of one lookup.
struct Resolver::Lookup {
  explicit Lookup(UniqueFd event_fd) : event(std::move(event_fd)) {}

  const UniqueFd event;
  std::mutex mutex;
  // Guarded by mutex.
  std::optional<Answer> answer;
};

Resolver::Resolver(Loop& loop) : loop_(loop) {}

Resolver::~Resolver() = default;

bool Resolver::NeedsLookup(const std::string& host) {
  in6_addr address;
  return host != "localhost" && inet_pton(AF_INET, host.c_str(), &address) != 1 &&
         inet_pton(AF_INET6, host.c_str(), &address) != 1;
}

Status Resolver::Resolve(const std::string& host, std::function<void(Answer)> on_answer) {
  Cancel();
  UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.valid()) return Unavailable(host, std::strerror(errno));
  auto lookup = std::make_shared<Lookup>(std::move(event));
  try {
    std::thread([lookup, host] {
      Answer answer = LookUp(host);
      const std::lock_guard<std::mutex> lock(lookup->mutex);
      lookup->answer = std::move(answer);
      ::eventfd_write(lookup->event.get(), 1);
    }).detach();
  } catch (const std::system_error& error) {
    return Unavailable(host, error.what());
  }
  watch_ = loop_.WatchFd(lookup->event.get(), [this](Ready) { OnAnswer(); });
  lookup_ = std::move(lookup);
  on_answer_ = std::move(on_answer);
  return {};
}

void Resolver::Cancel() {
  watch_.reset();
  lookup_.reset();
  on_answer_ = nullptr;
}

void Resolver::OnAnswer() {
  CHECK(lookup_ != nullptr && on_answer_ != nullptr, "only a pending lookup is watched");
  std::optional<Answer> answer;
  {
    const std::lock_guard<std::mutex> lock(lookup_->mutex);
    answer = std::move(lookup_->answer);
  }
  if (!answer.has_value()) return;
  const std::function<void(Answer)> on_answer = std::move(on_answer_);
  Cancel();
  on_answer(std::move(*answer));
}

}  // namespace tidegate
