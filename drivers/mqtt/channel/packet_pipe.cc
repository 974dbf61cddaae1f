#include "drivers/mqtt/channel/packet_pipe.h"

#include <string>
#include <string_view>
#include <utility>

#include "core/check.h"

namespace tidegate {
namespace {

constexpr size_t kReceiveBytes = 65'536;
// Whole packets are passed to the library together, as many as certainly have room.
constexpr size_t kTogetherBytes = 32'768;

// The library has read everything, so only the kernel can be short of memory.
Error NoRoom() {
  return Error{ErrorCode::kUnavailable, "no memory for a socket pair"};
}

}  // namespace

PacketPipe::PacketPipe(size_t max_packet_bytes, bool may_shorten)
    : filter_(max_packet_bytes, may_shorten), received_(kReceiveBytes) {}

Status PacketPipe::Open(const ChannelOptions& options, int library_fd) {
  Result<UniqueFd> connection = socket_.Replace(library_fd);
  if (!connection.ok()) return connection.error();
  connection_ = std::move(*connection);
  Result<std::unique_ptr<BrokerChannel>> channel = MakeBrokerChannel(options, fd());
  if (!channel.ok()) return channel.error();
  channel_ = std::move(*channel);
  return {};
}

Result<PacketPipe::Passed> PacketPipe::PassOn() {
  if (queued_ > 0) {
    --queued_;
    return Passed::kPacket;
  }
  if (Status status = Receive(); !status.ok()) return status.error();
  if (to_library_.empty() && at_ == end_) return Passed::kNothing;
  if (to_library_.empty() && QueueWholePackets()) {
    return queued_ > 0 ? PassOn() : Result<Passed>(NoRoom());
  }
  if (!TakePart()) {
    return Error{ErrorCode::kUnavailable,
                 std::string("the broker violates the protocol: ") + filter_.violation()};
  }
  if (!to_library_.empty()) {
    const size_t passed = socket_.ToLibrary(to_library_);
    if (passed == 0) return NoRoom();
    to_library_.erase(0, passed);
  }
  return to_library_.empty() && whole_ ? Passed::kPacket : Passed::kPart;
}

// Once everything that arrived before is passed on.
Status PacketPipe::Receive() {
  if (!to_library_.empty() || at_ < end_) return {};
  const Result<size_t> count = channel_->Read(received_);
  if (!count.ok()) return Status(count);
  at_ = 0;
  end_ = *count;
  CHECK(end_ <= received_.size(), "no more is received than there is room for");
  return {};
}

// Whole packets of that size need no filter. False: the filter has to see what comes next. True
// with nothing queued: there was no room.
bool PacketPipe::QueueWholePackets() {
  if (!filter_.between_packets()) return false;
  const std::string_view in(received_.data() + at_, end_ - at_);
  const PacketFilter::Whole whole = PacketFilter::WholePackets(in, kTogetherBytes);
  if (whole.packets == 0) return false;
  shortened_from_ = 0;
  if (socket_.ToLibrary(in.substr(0, whole.bytes)) != whole.bytes) return true;
  at_ += whole.bytes;
  queued_ = whole.packets;
  return true;
}

// Unless the library is still to be passed what was taken before. False: the stream is violated.
bool PacketPipe::TakePart() {
  if (!to_library_.empty()) return true;
  std::string_view in(received_.data() + at_, end_ - at_);
  whole_ = filter_.TakePacket(in, to_library_);
  at_ = end_ - in.size();
  shortened_from_ = filter_.shortened_from();
  return !filter_.violated();
}

Status PacketPipe::Flush() {
  while (!to_broker_.empty()) {
    const Result<size_t> count = channel_->Write(to_broker_);
    if (!count.ok()) return Status(count);
    if (*count == 0) return {};
    to_broker_.erase(0, *count);
  }
  return {};
}

}  // namespace tidegate
