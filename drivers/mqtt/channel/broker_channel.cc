#include "drivers/mqtt/channel/broker_channel.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "drivers/mqtt/channel/tls_channel.h"

namespace tidegate {
namespace {

class PlainChannel final : public BrokerChannel {
 public:
  explicit PlainChannel(int fd) : fd_(fd) {}

  Result<size_t> Read(std::span<char> buffer) override {
    const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count == 0) {
      return Error{ErrorCode::kUnavailable, "the broker closed the connection"};
    }
    return Counted(count);
  }
  Result<size_t> Write(std::string_view bytes) override {
    return Counted(::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  }
  bool buffered() const override { return false; }
  bool security_failed() const override { return false; }

 private:
  static Result<size_t> Counted(ssize_t count) {
    if (count >= 0) return static_cast<size_t>(count);
    // Not connected yet is no error.
    const bool later = errno == EAGAIN || errno == EINTR || errno == ENOTCONN;
    if (later) return size_t{0};
    return Error{ErrorCode::kUnavailable, std::strerror(errno)};
  }

  const int fd_;
};

}  // namespace

Result<std::unique_ptr<BrokerChannel>> MakeBrokerChannel(const ChannelOptions& options, int fd) {
  if (options.tls) return TlsChannel::Make(options, fd);
  return std::unique_ptr<BrokerChannel>(std::make_unique<PlainChannel>(fd));
}

}  // namespace tidegate
