#include "bench/messages.h"

#include <chrono>
#include <cstdlib>
#include <utility>

#include "agent/pipeline/decode.h"
#include "drivers/sim/fleet.h"

namespace tidegate {

namespace {
using namespace std::chrono_literals;

class Encoder final : public DecodeSink {
 public:
  explicit Encoder(std::string topic) { topics_.heartbeat = std::move(topic); }
  void OnRecord(Record&& record, const DecodedRecord&) override {
    messages_.push_back(
        EncodeMessage(record, messages_.size() + 1, {"gw-bench", "0123abcd"}, topics_, true));
  }
  void OnRefused(std::string_view, std::string) override { std::abort(); }
  std::vector<WireMessage> Take() { return std::move(messages_); }

 private:
  Topics topics_;
  std::vector<WireMessage> messages_;
};
}  // namespace

std::vector<WireMessage> MakeMessages(const std::string& topic, size_t count) {
  Fleet fleet({.assets = 100, .tenants = {"demo"}, .seed = 1});
  Encoder encoder(topic);
  WallTime now{1'750'638'901'000ms};
  for (size_t i = 0; i < count; ++i, now += 1ms) {
    const Heartbeat heartbeat = fleet.Next(now);
    DecodeContext context;
    context.topic_tenant = heartbeat.tenant;
    context.topic_asset = heartbeat.asset;
    context.clock_synced = true;
    Decode(heartbeat.payload, context, {}, encoder);
  }
  return encoder.Take();
}

}  // namespace tidegate
