#include "agent/control/control_socket.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/check.h"
#include "core/clock.h"
#include "core/json/tree.h"

namespace tidegate {

namespace {

constexpr size_t kMaxClients = 16;
constexpr size_t kMaxRequestBytes = 256;
constexpr int kListenBacklog = 8;
// What waits for one client to read; a slower client is dropped.
constexpr size_t kMaxBacklogBytes = 1024 * 1024;
// How long a client may take for its request, because its place is one of few.
constexpr auto kRequestTimeout = std::chrono::seconds(10);
// After accept4(2) had no memory or descriptor for a client: it stays readable.
constexpr auto kRest = std::chrono::seconds(1);

Error SystemError(std::string_view operation, const std::string& object) {
  return Error{ErrorCode::kUnavailable,
               fmt::format("{} {}: {}", operation, object, std::strerror(errno))};
}

Error BadPath(const std::string& path) {
  return Error{ErrorCode::kInvalid,
               fmt::format("control socket {}: the path is empty or over 107 bytes", path)};
}

std::optional<sockaddr_un> Address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return std::nullopt;
  std::ranges::copy(path, address.sun_path);
  return address;
}

const sockaddr* Generic(const sockaddr_un& address) {
  return static_cast<const sockaddr*>(static_cast<const void*>(&address));
}

// Whether somebody listens there, also one who is too busy to accept (EAGAIN).
bool Connects(const sockaddr_un& address) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return fd.valid() &&
         (::connect(fd.get(), Generic(address), sizeof address) == 0 || errno == EAGAIN);
}

bool IsSocket(const std::string& path) {
  struct stat found = {};
  return ::lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode);
}

// Removes the socket that a killed agent has left, and nothing else: bind(2) refuses a path where
// there is a file.
void RemoveOldSocket(const std::string& path) {
  if (IsSocket(path)) ::unlink(path.c_str());
}

Error NoAnswer(const std::string& path) {
  return Error{ErrorCode::kUnavailable,
               fmt::format("ask {}: no answer in time; the agent is busy or was stopped", path)};
}

// How long a client waits for the agent in all; without a limit, for ever.
class Deadline {
 public:
  explicit Deadline(std::optional<std::chrono::milliseconds> limit) : limit_(limit) {
    if (limit) end_ = clock_.SinceBoot() + *limit;
  }
  void LimitSending(int fd) const {
    if (!limit_) return;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(*limit_);
    const std::chrono::microseconds rest = *limit_ - seconds;
    const timeval time{.tv_sec = seconds.count(), .tv_usec = rest.count()};
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  }
  // False: the time is over, and there is nothing to read.
  bool AwaitReadable(int fd) const {
    if (!limit_) return true;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - clock_.SinceBoot());
    pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&wanted, 1, std::max(0, static_cast<int>(left.count()))) != 0;
  }

 private:
  const std::optional<std::chrono::milliseconds> limit_;
  const SystemClock clock_;
  BootTime end_{0};
};

std::string UnknownRequest() {
  json::Tree answer;
  answer.members().Text(
      "error", "unknown request; known are: status, tail, tail alert|gap|heartbeat|reading");
  return answer.Print();
}

}  // namespace

// One connection. It lives in the owner's list until Sweep() removes it.
class ControlSocket::Client {
 public:
  Client(ControlSocket& owner, UniqueFd fd)
      : owner_(owner),
        fd_(std::move(fd)),
        request_timer_(owner.loop_.AddTimer([this] { OnRequestTimeout(); })),
        watch_(owner.loop_.WatchFd(fd_.get(), [this](Ready ready) { OnReady(ready); })) {
    request_timer_->After(kRequestTimeout);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool done() const { return done_; }
  bool follows() const { return following_; }
  bool Follows(RecordClass record_class) const {
    return following_ && (!kind_ || *kind_ == record_class);
  }

  void Send(std::string_view line) {
    if (done_) return;
    if (out_.size() + line.size() >= kMaxBacklogBytes) return Finish();
    out_.append(line).push_back('\n');
    CHECK(out_.size() <= kMaxBacklogBytes, "a client's backlog is bounded");
    Flush();
  }

 private:
  void OnReady(Ready ready) {
    if (ready.readable || ready.hung_up) Read();
    if (ready.writable && !done_) Flush();
  }

  // The request may have waited for us.
  void OnRequestTimeout() {
    if (!done_ && !answered_) Read();
    if (!done_ && !answered_) Finish();
  }

  void Read() {
    char buffer[kMaxRequestBytes];
    const ssize_t count = ::read(fd_.get(), buffer, sizeof buffer);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return Finish();
    if (answered_) return;  // A connection has one request; what follows is ignored.
    in_.append(buffer, static_cast<size_t>(count));
    const size_t end = in_.find('\n');
    if (end == std::string::npos) {
      if (in_.size() >= kMaxRequestBytes) Finish();
      return;
    }
    answered_ = true;
    request_timer_->Cancel();
    Answer(in_.substr(0, end));
  }

  void Answer(const std::string& request) {
    constexpr std::string_view kTail = "tail ";
    if (request == "status") {
      closing_ = true;
      return Send(owner_.status_());
    }
    if (request == "tail") {
      following_ = true;
    } else if (request.starts_with(kTail)) {
      kind_ = RecordClassFromName(request.substr(kTail.size()));
      following_ = kind_.has_value();
    }
    if (following_) return;
    closing_ = true;
    Send(UnknownRequest());
  }

  void Flush() {
    while (!out_.empty()) {
      const ssize_t count = ::send(fd_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EAGAIN) break;
      if (count < 0) return Finish();
      out_.erase(0, static_cast<size_t>(count));
    }
    watch_->Want(true, !out_.empty());
    if (out_.empty() && closing_) Finish();
  }

  // Sweep() destroys the client at the end of the turn, not in the middle of its own call.
  void Finish() {
    done_ = true;
    watch_->Want(false, false);
    owner_.sweep_->Schedule();
  }

  ControlSocket& owner_;
  const UniqueFd fd_;
  std::string in_, out_;
  // The class that the client follows; nullopt: every class.
  std::optional<RecordClass> kind_;
  bool answered_ = false, following_ = false;
  // The connection ends once out_ is sent.
  bool closing_ = false;
  bool done_ = false;
  std::unique_ptr<Timer> request_timer_;
  // Destroyed before the descriptor that it watches.
  std::unique_ptr<FdWatch> watch_;
};

Result<std::unique_ptr<ControlSocket>> ControlSocket::Listen(const std::string& path, Loop& loop,
                                                             const Clock& clock, const Log& log,
                                                             StatusSource status) {
  const auto address = Address(path);
  if (!address) return BadPath(path);
  if (Connects(*address)) {
    return Error{ErrorCode::kUnavailable,
                 fmt::format("control socket {}: another agent listens there", path)};
  }
  RemoveOldSocket(path);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return SystemError("create control socket", path);
  const mode_t previous = ::umask(0117);  // 0660: root, the service's user and its group.
  const bool bound = ::bind(fd.get(), Generic(*address), sizeof *address) == 0 &&
                     ::listen(fd.get(), kListenBacklog) == 0;
  const int cause = errno;
  ::umask(previous);
  errno = cause;
  if (!bound) return SystemError("listen on control socket", path);
  return std::unique_ptr<ControlSocket>(
      new ControlSocket(path, std::move(fd), loop, clock, log, std::move(status)));
}

ControlSocket::ControlSocket(std::string path, UniqueFd fd, Loop& loop, const Clock& clock,
                             const Log& log, StatusSource status)
    : path_(std::move(path)),
      fd_(std::move(fd)),
      loop_(loop),
      clock_(clock),
      log_(log),
      status_(std::move(status)),
      sweep_(loop.AddTurnEnd([this] { Sweep(); })),
      watch_(loop.WatchFd(fd_.get(), [this](Ready) { Accept(); })),
      rest_timer_(loop.AddTimer([this] { watch_->Want(true, false); })) {}

ControlSocket::~ControlSocket() {
  RemoveOldSocket(path_);
}

void ControlSocket::Accept() {
  UniqueFd fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd.valid()) return RestAfter(errno);
  if (clients_.size() >= kMaxClients) {
    if (const auto count = turned_away_limit_.Count(clock_.SinceBoot())) {
      log_.Warning(
          "control socket: more than {} clients, the new one is turned away ({} such "
          "events since the last line)",
          kMaxClients, *count);
    }
    return;
  }
  clients_.push_back(std::make_unique<Client>(*this, std::move(fd)));
}

// Without a rest the loop would spin. Other errors are those of one client.
void ControlSocket::RestAfter(int error) {
  if (error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM) return;
  watch_->Want(false, false);
  rest_timer_->After(kRest);
  if (const auto count = rest_limit_.Count(clock_.SinceBoot())) {
    log_.Warning("control socket: no client can be accepted: {} ({} attempts)",
                 std::strerror(error), *count);
  }
}

void ControlSocket::Sweep() {
  std::erase_if(clients_, [](const auto& client) { return client->done(); });
}

bool ControlSocket::HasFollowers() const {
  return std::ranges::any_of(clients_, [](const auto& client) { return client->follows(); });
}

void ControlSocket::Publish(RecordClass record_class, const std::string& line) {
  CHECK(line.find('\n') == std::string::npos, "a record is one line");
  for (const auto& client : clients_) {
    if (client->Follows(record_class)) client->Send(line);
  }
}

Status AskControlSocket(const std::string& path, const std::string& request,
                        const std::function<bool(std::string_view)>& on_line,
                        std::optional<std::chrono::milliseconds> limit) {
  const auto address = Address(path);
  if (!address) return BadPath(path);
  const Deadline deadline(limit);
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return SystemError("connect to", path);
  deadline.LimitSending(fd.get());
  if (::connect(fd.get(), Generic(*address), sizeof *address) != 0)
    return errno == EAGAIN ? NoAnswer(path) : SystemError("connect to", path);
  const std::string line = request + "\n";
  if (::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL) < 0) return SystemError("ask", path);
  std::string buffer;
  char chunk[16 * 1024];
  while (true) {
    if (!deadline.AwaitReadable(fd.get())) return NoAnswer(path);
    const ssize_t count = ::read(fd.get(), chunk, sizeof chunk);
    if (count < 0 && errno == EINTR) return {};
    if (count < 0) return SystemError("read from", path);
    if (count == 0) return {};
    buffer.append(chunk, static_cast<size_t>(count));
    for (size_t end = buffer.find('\n'); end != std::string::npos; end = buffer.find('\n')) {
      if (!on_line(std::string_view(buffer).substr(0, end))) return {};
      buffer.erase(0, end + 1);
    }
  }
}

}  // namespace tidegate
