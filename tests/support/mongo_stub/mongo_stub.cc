#include "tests/support/mongo_stub/mongo_stub.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "tests/support/mongo_stub/collections.h"
#include "tests/support/mongo_stub/commands.h"
#include "tests/support/mongo_stub/wire.h"

namespace tidegate::mongo_stub {

namespace {
bool ReadAll(int fd, uint8_t* out, size_t size) {
  while (size > 0) {
    const ssize_t got = ::read(fd, out, size);
    if (got <= 0) return false;
    out += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return true;
}

class Server final : public MongoStub {
 public:
  explicit Server(Options options) : options_(options) {}
  ~Server() override;

  Status Listen();
  uint16_t port() const override { return port_; }
  void Script(const std::string& command, Answer answer) override {
    const std::lock_guard lock(mutex_);
    scripts_[command].push_back(std::move(answer));
  }
  std::vector<std::string> Ids(const std::string& ns) const override {
    const std::lock_guard lock(mutex_);
    return collections_.Ids(ns);
  }
  std::string Document(const std::string& ns, const std::string& id) const override;
  std::vector<std::string> Indexes(const std::string& ns) const override;
  size_t taken() const override {
    const std::lock_guard lock(mutex_);
    return taken_;
  }
  std::vector<Seen> seen() const override {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  void Accept();
  void Serve(int fd);
  // Reads one command and answers it; false when the connection is to be closed.
  bool ServeOne(int fd, std::vector<uint8_t>& message);
  Answer Execute(const Request& request, size_t message_bytes, std::string& reply);
  // The delay, or less if the stub is stopped.
  void Wait(std::chrono::milliseconds delay);

  const Options options_;
  int listener_ = -1;
  uint16_t port_ = 0;

  mutable std::mutex mutex_;  // Guards all that follows.
  std::condition_variable stopped_;
  bool stopping_ = false;
  Collections collections_;
  std::map<std::string, std::deque<Answer>> scripts_;
  std::vector<Seen> seen_;
  size_t taken_ = 0;
  std::vector<int> connections_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

Server::~Server() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (int fd : connections_) ::shutdown(fd, SHUT_RDWR);
  }
  stopped_.notify_all();
  if (listener_ >= 0) ::shutdown(listener_, SHUT_RDWR);
  if (acceptor_.joinable()) acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  if (listener_ >= 0) ::close(listener_);
}

Status Server::Listen() {
  const auto failed = [](const char* what) {
    return Error{ErrorCode::kUnavailable, std::string(what) + ": " + std::strerror(errno)};
  };
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener_ < 0) return failed("socket");
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options_.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, plain, size) != 0) return failed("bind");
  if (::listen(listener_, 64) != 0) return failed("listen");
  if (::getsockname(listener_, plain, &size) != 0) return failed("getsockname");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
  return {};
}

void Server::Accept() {
  while (true) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      ::close(fd);
      return;
    }
    connections_.push_back(fd);
    threads_.emplace_back([this, fd] { Serve(fd); });
  }
}

void Server::Serve(int fd) {
  std::vector<uint8_t> message;
  while (ServeOne(fd, message)) {
  }
  const std::lock_guard lock(mutex_);
  std::erase(connections_, fd);
  ::close(fd);
}

bool Server::ServeOne(int fd, std::vector<uint8_t>& message) {
  message.resize(kHeaderBytes);
  if (!ReadAll(fd, message.data(), kHeaderBytes)) return false;
  const auto size = MessageBytes(message);
  if (!size.ok()) return false;
  message.resize(*size);
  if (!ReadAll(fd, message.data() + kHeaderBytes, *size - kHeaderBytes)) return false;
  const Result<Request> request = ParseRequest(message);
  if (!request.ok()) return false;
  std::string reply;
  const Answer answer = Execute(*request, *size, reply);
  if (answer.connection != Answer::Connection::kKeep) return false;
  if (answer.delay.count() > 0) Wait(answer.delay);
  return request->no_reply || WriteAll(fd, MakeReply(*request, reply));
}

Answer Server::Execute(const Request& request, size_t message_bytes, std::string& reply) {
  const std::lock_guard lock(mutex_);
  Answer answer;
  auto& scripted = scripts_[std::string(request.command)];
  if (!scripted.empty()) {
    answer = std::move(scripted.front());
    scripted.pop_front();
  }
  if (options_.keep && !IsHandshake(request)) {
    seen_.push_back({std::string(request.command), std::string(request.collection),
                     request.documents.size(), message_bytes, JsonOf(request.body)});
  }
  if (answer.connection != Answer::Connection::kDropBefore) {
    Executed executed = mongo_stub::Execute(options_, request, answer, collections_);
    taken_ += executed.taken;
    reply = std::move(executed.reply);
  }
  return answer;
}

void Server::Wait(std::chrono::milliseconds delay) {
  std::unique_lock lock(mutex_);
  stopped_.wait_for(lock, delay, [this] { return stopping_; });
}

std::string Server::Document(const std::string& ns, const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const Stored* stored = collections_.Get(ns, id);
  return stored ? JsonOf(BytesOf(*stored)) : "";
}

std::vector<std::string> Server::Indexes(const std::string& ns) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> indexes;
  for (const Stored* stored : collections_.IndexesOf(ns)) {
    indexes.push_back(JsonOf(BytesOf(*stored)));
  }
  return indexes;
}
}  // namespace

Result<std::unique_ptr<MongoStub>> MongoStub::Start(Options options) {
  auto server = std::make_unique<Server>(options);
  if (Status status = server->Listen(); !status.ok()) return status.error();
  return std::unique_ptr<MongoStub>(std::move(server));
}

}  // namespace tidegate::mongo_stub
