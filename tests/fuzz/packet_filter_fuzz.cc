// What a broker sends, divided into packets. However the bytes are divided, the same comes out;
// what is whole passes unchanged; and nothing larger than the limit is passed on.
#include "drivers/mqtt/channel/packet_filter.h"

#include <string>

#include "tests/fuzz/fuzz.h"

namespace {

using tidegate::PacketFilter;

struct Passed {
  std::string bytes;
  size_t packets = 0;
  bool violated = false;
};

Passed Feed(std::string_view input, size_t piece) {
  PacketFilter filter(PacketFilter::kKeptBytes, /*may_shorten=*/true);
  Passed passed;
  while (!input.empty() && !filter.violated()) {
    std::string_view in = input.substr(0, piece);
    input.remove_prefix(in.size());
    while (!in.empty() && !filter.violated()) {
      passed.packets += filter.TakePacket(in, passed.bytes) ? 1 : 0;
    }
  }
  passed.violated = filter.violated();
  return passed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input = tidegate::fuzz::TextOf(data, size);
  const Passed whole = Feed(input, input.size() + 1);
  const Passed pieces = Feed(input, 1);
  tidegate::fuzz::Check(whole.packets == pieces.packets && whole.violated == pieces.violated,
                        "the packets do not depend on how the bytes are divided");
  tidegate::fuzz::Check(whole.bytes == pieces.bytes, "nor does what is passed on");
  const PacketFilter::Whole counted = PacketFilter::WholePackets(input, input.size());
  tidegate::fuzz::Check(counted.bytes <= input.size(), "what is whole has arrived");
  if (!whole.violated && input.size() < PacketFilter::kKeptBytes) {
    tidegate::fuzz::Check(counted.packets == whole.packets, "both count the same packets");
  }
  return 0;
}
