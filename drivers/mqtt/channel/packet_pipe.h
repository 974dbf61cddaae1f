// Carries the bytes between libmosquitto and the network: takes the place of the library's
// connection (LibrarySocket), bounds packets (PacketFilter), and speaks TLS if that is wanted
// (BrokerChannel). Nothing here waits. Loop thread only.
//
// Invariant: the library is passed more only when it has read everything before, so that there is
// always room for it (PassOn).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/unique_fd.h"
#include "drivers/mqtt/channel/broker_channel.h"
#include "drivers/mqtt/channel/library_socket.h"
#include "drivers/mqtt/channel/packet_filter.h"

namespace tidegate {

class PacketPipe {
 public:
  // As PacketFilter.
  PacketPipe(size_t max_packet_bytes, bool may_shorten);

  // Takes the connection that the library has made, or is making. kUnavailable: what failed.
  Status Open(const ChannelOptions& options, int library_fd);
  // The connection's descriptor, which is to be watched.
  int fd() const { return connection_.get(); }

  enum class Passed {
    // Nothing has arrived.
    kNothing,
    // A part of a packet, or none of one that is being skipped.
    kPart,
    // A packet, or the rest of one.
    kPacket,
  };
  // Passes bytes to the library, which has to read after each kPart and kPacket. kUnavailable: the
  // connection has ended, and why.
  Result<Passed> PassOn();
  // True: the connection has ended because the broker violates the protocol.
  bool violated() const { return filter_.violated(); }
  // PacketFilter::shortened_from() of the packet that the library reads next.
  size_t shortened_from() const { return shortened_from_; }
  // True if there is more to pass on, of which the descriptor says nothing.
  bool buffered() const { return queued_ > 0 || at_ < end_ || channel_->buffered(); }

  // Takes what the library has written. False: there was nothing.
  bool Collect() { return socket_.FromLibrary(to_broker_); }
  // Writes what was collected, as far as the network has room. kUnavailable: as above.
  Status Flush();
  // True if something that was collected is not written yet.
  bool unwritten() const { return !to_broker_.empty(); }

  // BrokerChannel::security_failed(). REQUIRES: Open() was OK.
  bool security_failed() const { return channel_->security_failed(); }

 private:
  Status Receive();
  bool QueueWholePackets();
  bool TakePart();

  UniqueFd connection_;
  std::unique_ptr<BrokerChannel> channel_;
  LibrarySocket socket_;
  PacketFilter filter_;
  // What has arrived and was not passed on yet is between `at_` and `end_`.
  std::vector<char> received_;
  size_t at_ = 0;
  size_t end_ = 0;
  // Whole packets that the library has been passed and has not read yet.
  size_t queued_ = 0;
  // What the filter has let through of the present packet, and whether that is all of it.
  std::string to_library_;
  bool whole_ = false;
  size_t shortened_from_ = 0;
  std::string to_broker_;
};

}  // namespace tidegate
