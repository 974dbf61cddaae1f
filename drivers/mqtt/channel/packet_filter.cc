#include "drivers/mqtt/channel/packet_filter.h"

#include <algorithm>

#include "core/check.h"

namespace tidegate {
namespace {

constexpr uint8_t kTypeMask = 0xf0;
// What a broker may send us, by the first byte (MQTT 5, 2.1.2).
constexpr uint8_t kConnack = 0x20;
constexpr uint8_t kPublish = 0x30;
constexpr uint8_t kSuback = 0x90;
constexpr uint8_t kUnsuback = 0xb0;
constexpr uint8_t kPingresp = 0xd0;
constexpr uint8_t kDisconnect = 0xe0;
// The QoS bits of a PUBLISH above 1.
constexpr uint8_t kAboveQos1 = 0x04;
// The remaining length: seven bits a byte, in four bytes at most (MQTT 5, 1.5.5).
constexpr uint8_t kMore = 0x80;
constexpr size_t kBits = 7;
constexpr size_t kMaxHeaderBytes = 5;

uint8_t ByteOf(char c) {
  return static_cast<uint8_t>(c);
}

size_t RemainingLength(std::string_view header) {
  size_t length = 0;
  for (size_t i = 1; i < header.size(); ++i) {
    length |= static_cast<size_t>(ByteOf(header[i]) & ~kMore) << (kBits * (i - 1));
  }
  return length;
}

// Returns why a broker may not send us a packet that begins with this byte; nullptr: it may.
const char* ViolationOf(char first) {
  const uint8_t byte = ByteOf(first);
  switch (byte & kTypeMask) {
    case kPublish:
      if ((byte & kAboveQos1) == 0) return nullptr;
      return "a PUBLISH of QoS 2, which no subscription of ours allows; if another program has "
             "used "
             "this client_id, set one of its own";
    case kConnack:
    case kSuback:
    case kUnsuback:
    case kPingresp:
    case kDisconnect:
      return nullptr;
    default:
      return "a packet that no broker sends to a subscriber, such as a PINGREQ";
  }
}

void PutRemainingLength(std::string& out, size_t length) {
  while (length >= kMore) {
    out.push_back(static_cast<char>((length & ~size_t{kMore}) | kMore));
    length >>= kBits;
  }
  out.push_back(static_cast<char>(length));
}

}  // namespace

PacketFilter::PacketFilter(size_t max_bytes, bool may_shorten)
    : max_bytes_(max_bytes), may_shorten_(may_shorten) {
  CHECK(max_bytes_ >= kKeptBytes, "a packet within the limit is not shortened");
}

PacketFilter::Whole PacketFilter::WholePackets(std::string_view in, size_t max_bytes) {
  in = in.substr(0, max_bytes);
  Whole whole;
  for (;;) {
    const std::string_view rest = in.substr(whole.bytes);
    if (!rest.empty() && ViolationOf(rest.front()) != nullptr) return whole;
    size_t header = 2;
    while (header < kMaxHeaderBytes && header <= rest.size() &&
           (ByteOf(rest[header - 1]) & kMore) != 0) {
      ++header;
    }
    if (header > rest.size()) return whole;
    const size_t size = header + RemainingLength(rest.substr(0, header));
    if (size > rest.size()) return whole;
    whole.bytes += size;
    ++whole.packets;
  }
}

bool PacketFilter::TakePacket(std::string_view& in, std::string& out) {
  if (violated()) return false;
  if (!in_body_ && !TakeHeader(in, out)) return false;
  Pass(in, out);
  if (pass_ == 0) Skip(in);
  if (pass_ > 0 || skip_ > 0) return false;
  in_body_ = false;
  header_.clear();
  return true;
}

// True: the header is whole, and the body follows.
bool PacketFilter::TakeHeader(std::string_view& in, std::string& out) {
  while (!in.empty()) {
    header_.push_back(in.front());
    in.remove_prefix(1);
    if (header_.size() == 1) continue;
    if ((ByteOf(header_.back()) & kMore) == 0) {
      BeginBody(out);
      return !violated();
    }
    if (header_.size() == kMaxHeaderBytes) {
      violation_ = "a packet with a malformed length";
      return false;
    }
  }
  return false;
}

void PacketFilter::BeginBody(std::string& out) {
  if (violation_ = ViolationOf(header_[0]); violated()) return;
  const size_t length = RemainingLength(header_);
  const bool too_large = length > max_bytes_;
  const bool publish = (ByteOf(header_[0]) & kTypeMask) == kPublish;
  if (too_large && !(publish && may_shorten_)) {
    violation_ = "a packet that is too large";
    return;
  }
  pass_ = too_large ? kKeptBytes : length;
  skip_ = length - pass_;
  shortened_from_ = too_large ? length : 0;
  out.push_back(header_[0]);
  PutRemainingLength(out, pass_);
  in_body_ = true;
}

void PacketFilter::Pass(std::string_view& in, std::string& out) {
  CHECK(pass_ <= max_bytes_, "what is passed on of a packet is bounded");
  const size_t count = std::min(pass_, in.size());
  out.append(in.substr(0, count));
  in.remove_prefix(count);
  pass_ -= count;
}

void PacketFilter::Skip(std::string_view& in) {
  const size_t count = std::min(skip_, in.size());
  in.remove_prefix(count);
  skip_ -= count;
}

}  // namespace tidegate
