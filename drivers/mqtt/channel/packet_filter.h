// Divides what a broker sends into MQTT packets and bounds them before libmosquitto sees them: it
// would allocate what a packet claims to have, up to 256 MiB, twice. The fixed header suffices for
// that. Pure; one thread.
//
// A PUBLISH that is too large is shortened: the broker would send it again after each connection
// otherwise, and nothing after it would ever come. MQTT 5 forbids a broker to send one, so there it
// is a violation, as every other packet of that size is.
//
// A violation is also every packet that libmosquitto keeps or answers without a limit of ours: a
// PUBLISH of QoS 2, which it keeps until the PUBREL, and what only a client sends, such as a
// PINGREQ. We subscribe with QoS 1 and publish nothing, so a broker has no reason for them.
//
// Invariant: no more than kKeptBytes of a shortened packet, and no more than the limit of any
// other, are passed on (Pass).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidegate {

class PacketFilter {
 public:
  // What is left of a shortened packet: a topic of any length, and the beginning of the payload.
  static constexpr size_t kKeptBytes = size_t{128} << 10;

  // `max_bytes`: of a packet without its fixed header. REQUIRES: at least kKeptBytes.
  PacketFilter(size_t max_bytes, bool may_shorten);

  // Takes bytes off the front of `in`, up to the end of a packet, and appends to `out` what
  // libmosquitto is to read. Returns true at the end of a packet.
  bool TakePacket(std::string_view& in, std::string& out);

  // True if the next byte begins a packet.
  bool between_packets() const { return header_.empty(); }

  struct Whole {
    size_t packets = 0;
    size_t bytes = 0;
  };
  // Returns how many packets at the front of `in` are whole, with `max_bytes` in all at most; none
  // from a packet on that is a violation.
  static Whole WholePackets(std::string_view in, size_t max_bytes);

  // How the stream violates the protocol, for people; no more of it can be understood then.
  // nullptr: it does not.
  const char* violation() const { return violation_; }
  bool violated() const { return violation_ != nullptr; }
  // The bytes of the packet that was read last, or is being read, if it is shortened; else 0.
  size_t shortened_from() const { return shortened_from_; }

 private:
  bool TakeHeader(std::string_view& in, std::string& out);
  void BeginBody(std::string& out);
  void Pass(std::string_view& in, std::string& out);
  void Skip(std::string_view& in);

  size_t max_bytes_;
  bool may_shorten_;
  const char* violation_ = nullptr;
  // The fixed header as far as it has come; empty between packets.
  std::string header_;
  bool in_body_ = false;
  // Of the present packet's body: to be passed on, and then to be skipped.
  size_t pass_ = 0;
  size_t skip_ = 0;
  size_t shortened_from_ = 0;
};

}  // namespace tidegate
