#include "agent/control/control_socket.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tidegate {

namespace {

constexpr size_t kMaxClients = 16;
constexpr size_t kMaxRequestBytes = 256;
constexpr size_t kMaxBacklogBytes = 1024 * 1024;  // Of one follower; a slower one is dropped.

Error SystemError(std::string_view operation, const std::string& object,
                  ErrorCode code = ErrorCode::kUnavailable) {
  return Error{code, fmt::format("{} {}: {}", operation, object, std::strerror(errno))};
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

bool Connects(const sockaddr_un& address) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool connected = ::connect(fd, Generic(address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

}  // namespace

class ControlSocket::Client {
 public:
  Client(ControlSocket& owner, int fd)
      : owner_(owner),
        fd_(fd),
        watch_(owner.loop_.WatchFd(fd, [this](Ready ready) { OnReady(ready); })) {}
  ~Client() {
    watch_.reset();
    ::close(fd_);
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
    if (out_.size() + line.size() > kMaxBacklogBytes) return Finish();
    out_.append(line).push_back('\n');
    Flush();
  }

 private:
  void OnReady(Ready ready) {
    if (ready.readable || ready.hung_up) Read();
    if (ready.writable && !done_) Flush();
  }

  void Read() {
    char buffer[kMaxRequestBytes];
    const ssize_t count = ::read(fd_, buffer, sizeof buffer);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return Finish();
    if (answered_) return;  // One request a connection; what follows is not listened to.
    in_.append(buffer, static_cast<size_t>(count));
    const size_t end = in_.find('\n');
    if (end == std::string::npos) {
      if (in_.size() >= kMaxRequestBytes) Finish();
      return;
    }
    answered_ = true;
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
    Send(
        R"({"error":"unknown request; known are: status, tail, tail alert|gap|heartbeat|reading"})");
  }

  void Flush() {
    while (!out_.empty()) {
      const ssize_t count = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EAGAIN) break;
      if (count < 0) return Finish();
      out_.erase(0, static_cast<size_t>(count));
    }
    watch_->Want(true, !out_.empty());
    if (out_.empty() && closing_) Finish();
  }

  // Destroyed at the end of the turn, not in the middle of its own call.
  void Finish() {
    done_ = true;
    watch_->Want(false, false);
    owner_.sweep_->Schedule();
  }

  ControlSocket& owner_;
  int fd_;
  std::string in_, out_;
  std::optional<RecordClass> kind_;
  bool answered_ = false, following_ = false, closing_ = false, done_ = false;
  std::unique_ptr<FdWatch> watch_;
};

Result<std::unique_ptr<ControlSocket>> ControlSocket::Listen(const std::string& path, Loop& loop,
                                                             const Log& log, StatusSource status) {
  const auto address = Address(path);
  if (!address)
    return Error{ErrorCode::kInvalid,
                 fmt::format("control socket {}: the path is empty or over 107 bytes", path)};
  if (Connects(*address)) {
    return Error{ErrorCode::kUnavailable,
                 fmt::format("control socket {}: another agent listens there", path)};
  }
  ::unlink(path.c_str());  // Left by an agent that was killed.
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return SystemError("create control socket", path);
  const mode_t before = ::umask(0117);  // 0660: root, the service's user and its group.
  const bool bound = ::bind(fd, Generic(*address), sizeof *address) == 0 && ::listen(fd, 8) == 0;
  const int cause = errno;
  ::umask(before);
  if (!bound) {
    ::close(fd);
    errno = cause;
    return SystemError("listen on control socket", path);
  }
  return std::unique_ptr<ControlSocket>(new ControlSocket(path, fd, loop, log, std::move(status)));
}

ControlSocket::ControlSocket(std::string path, int fd, Loop& loop, const Log& log,
                             StatusSource status)
    : path_(std::move(path)),
      fd_(fd),
      loop_(loop),
      log_(log),
      status_(std::move(status)),
      sweep_(loop.AddTurnEnd([this] { Sweep(); })),
      watch_(loop.WatchFd(fd, [this](Ready) { Accept(); })) {}

ControlSocket::~ControlSocket() {
  watch_.reset();
  clients_.clear();
  ::close(fd_);
  ::unlink(path_.c_str());
}

void ControlSocket::Accept() {
  const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  if (clients_.size() >= kMaxClients) {
    log_.Warning("control socket: more than {} clients, the new one is turned away", kMaxClients);
    ::close(fd);
    return;
  }
  clients_.push_back(std::make_unique<Client>(*this, fd));
}

void ControlSocket::Sweep() {
  std::erase_if(clients_, [](const auto& client) { return client->done(); });
}

bool ControlSocket::HasFollowers() const {
  return std::ranges::any_of(clients_, [](const auto& client) { return client->follows(); });
}

void ControlSocket::Publish(RecordClass record_class, const std::string& line) {
  for (const auto& client : clients_) {
    if (client->Follows(record_class)) client->Send(line);
  }
}

Status AskControlSocket(const std::string& path, const std::string& request,
                        const std::function<bool(std::string_view)>& on_line) {
  const auto address = Address(path);
  if (!address)
    return Error{ErrorCode::kInvalid,
                 fmt::format("control socket {}: the path is empty or over 107 bytes", path)};
  struct Closer {
    int fd;
    ~Closer() {
      if (fd >= 0) ::close(fd);
    }
  } socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (socket.fd < 0 || ::connect(socket.fd, Generic(*address), sizeof *address) != 0) {
    return SystemError("connect to", path);
  }
  const std::string line = request + "\n";
  if (::send(socket.fd, line.data(), line.size(), MSG_NOSIGNAL) < 0)
    return SystemError("ask", path);
  std::string buffer;
  char chunk[16 * 1024];
  while (true) {
    const ssize_t count = ::read(socket.fd, chunk, sizeof chunk);
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
