// Measures the CPU time of the loop's thread for each record in each stage after the driver, while
// the simulated fleet's heartbeats are replayed. The time of a stage that cannot run alone is the
// difference to the run without that stage:
//
//   decode   decodes a JSON payload to a record (agent/pipeline/decode)
//   rules    folds each record into the state, with three rules
//   collect  the rest of the pipeline: keeps the record until the commit, settles its ticket
//   append   encodes, compresses and commits (store) in $TMPDIR; the wait for the disk is no CPU
//            time
//   forward  next batch, wire message, reports, deletes; with a transport that acknowledges at once
//   produce  librdkafka's part of the loop's thread: produce calls and reports
//   threads  librdkafka's own threads: batches, compression, sockets
//
// The last two need the brokers of KAFKA_BOOTSTRAP_SERVERS in another process, whose time does not
// count. The program prints the medians of the rounds.
//
//   stage_bench [--count=50000] [--commit=1000] [--rounds=5] [--json] [STAGE ...]
//
// Valgrind counts instructions, which other load does not disturb, for one of decode, rules,
// collect, append, forward (cumulative: collect includes decode and rules, append includes
// collect):
//   valgrind --tool=callgrind --toggle-collect='*RunStage*' stage_bench --rounds=1 append
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/pipeline/decode.h"
#include "agent/pipeline/fold.h"
#include "agent/pipeline/pipeline.h"
#include "bench/stage_run.h"
#include "core/rules/rules.h"
#include "drivers/sim/fleet.h"
#include "tests/support/memory_store.h"
#include "tests/support/poll_loop.h"
#include "tests/support/quiet_driver.h"
#include "tests/support/store_fixture.h"
#include "tests/support/store_proxy.h"
#include "uplink/forwarder.h"
#include "uplink/kafka_transport.h"
#include "uplink/uplink_config.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 60s;

struct Payload {
  std::string topic, asset, text;
};

std::vector<Payload> MakePayloads(size_t count) {
  Fleet fleet({.assets = 100, .tenants = {"demo"}, .seed = 1});
  WallTime now{1'750'638'901'000ms};
  std::vector<Payload> payloads;
  for (size_t i = 0; i < count; ++i, now += 1ms) {
    const Heartbeat heartbeat = fleet.Next(now);
    payloads.push_back({fmt::format("fleet/demo/{}/heartbeat", heartbeat.asset),
                        std::string(heartbeat.asset), std::string(heartbeat.payload)});
  }
  return payloads;
}

std::vector<Rule> MakeRules() {
  return {*ParseRule("hot", "temperature_c > 50 clear 48"),
          *ParseRule("low_fuel", "fuel_pct < 10 for 30s"),
          *ParseRule("speeding", "speed_kmh > 120 severity critical")};
}

class FoldingSink final : public DecodeSink {
 public:
  explicit FoldingSink(Fold* fold) : fold_(fold) {}
  void OnRecord(Record&& /*record*/, const DecodedRecord& decoded) override {
    if (fold_ != nullptr) fold_->Apply(decoded, 0ms, [](Record, RuleChange) {});
  }
  void OnRefused(std::string_view, std::string) override { std::abort(); }

 private:
  Fold* const fold_;
};

// Discards what is appended, so that only the pipeline's own cost is measured.
class DiscardingStore final : public StoreProxy {
 public:
  explicit DiscardingStore(Store& store) : StoreProxy(store) {}
  Result<Seq> Append(const AppendRequest&) override { return Seq{1}; }
};

// Acknowledges every message at the next turn of the loop.
class InstantTransport final : public Transport {
 public:
  Status Send(Seq seq, const WireMessage&, Route) override {
    sent_.push_back(seq);
    on_activity_();
    return {};
  }
  void Drain(const std::function<void(const Report&)>& on_report) override {
    for (const Seq seq : sent_) on_report({seq, Delivery::kAcked, {}});
    sent_.clear();
  }
  void Recall(const std::string&) override {}  // No message is in flight for longer than a turn.
  uint64_t LinkBytes() const override { return 0; }
  void OnActivity(std::function<void()> callback) override { on_activity_ = std::move(callback); }
  bool Connected() const override { return true; }

 private:
  std::vector<Seq> sent_;
  std::function<void()> on_activity_;
};

class Bench {
 public:
  explicit Bench(const StageOptions& options)
      : options_(options), payloads_(MakePayloads(options.count)) {}

  Cost Decoding(bool with_rules) {
    Fold fold(MakeRules(), {});
    FoldingSink sink(with_rules ? &fold : nullptr);
    return RunStage(options_.count, [&] {
      for (const Payload& payload : payloads_) {
        DecodeContext context;
        context.topic_tenant = "demo";
        context.topic_asset = payload.asset;
        context.arrival = clock_.Now();
        context.clock_synced = true;
        Decode(payload.text, context, {}, sink);
      }
    });
  }

  Cost Storing(Store& store) {
    PollLoop loop;
    Metrics metrics;
    QuietDriver driver;
    Pipeline::Options options;
    options.commit_interval = 1h;
    options.commit_records = options_.batch;
    options.turn_time = 1h;  // All of a batch is offered in one turn.
    Pipeline pipeline(store, loop, clock_, log_, metrics, MakeRules(), options);
    Input input;
    input.name = "mqtt";
    Inbox& inbox = pipeline.AddInput(input, &driver);
    Ticket ticket = 0;
    return RunStage(options_.count, [&] {
      for (const Payload& payload : payloads_) {
        const Message message{.payload = payload.text,
                              .tenant = "demo",
                              .asset = payload.asset,
                              .origin = payload.topic,
                              .packet_id = static_cast<uint16_t>(ticket % 65535 + 1)};
        if (!inbox.Offer(message, ++ticket)) std::abort();
        if (ticket % options_.batch == 0) loop.RunOnce();
      }
      if (!pipeline.Commit()) std::abort();
    });
  }

  Cost Collecting() {
    MemoryStore memory;
    DiscardingStore store(memory);
    return Storing(store);
  }

  Cost Appending() { return Storing(NewStore()); }

  // Forwards what Appending() has stored. REQUIRES: Appending() was called since the last call.
  Cost Forwarding() {
    PollLoop loop;
    Metrics metrics;
    InstantTransport transport;
    return Forward(loop, metrics, transport);
  }

  // Forwards the same to Kafka through librdkafka. REQUIRES: as Forwarding().
  Cost Producing(const std::string& servers) {
    PollLoop loop;
    Metrics metrics;
    KafkaTransport::Options options;
    options.config = UplinkConfig("gw-bench", {{"bootstrap.servers", servers}}, {});
    auto transport = KafkaTransport::Create(options, loop, clock_, log_, metrics);
    if (!transport.ok() || !loop.RunUntil([&] { return (*transport)->Connected(); }, kPatience)) {
      fmt::print(stderr, "no brokers at {}\n", servers);
      std::exit(2);
    }
    return Forward(loop, metrics, **transport);
  }

 private:
  Store& NewStore() {
    fixture_ = std::make_unique<SqliteStoreFixture>();
    fixture_->options.max_bytes = 1ull << 30;
    return fixture_->Reopen();
  }

  Cost Forward(PollLoop& loop, Metrics& metrics, Transport& transport) {
    Forwarder::Options options;
    options.gateway = "gw-bench";
    Forwarder forwarder(fixture_->store(), transport, loop, clock_, log_, metrics, options);
    return RunStage(options_.count, [&] {
      if (!loop.RunUntil([&] { return forwarder.Idle(); }, kPatience)) std::abort();
      if (!fixture_->store().Flush()) std::abort();
    });
  }

  const StageOptions options_;
  const std::vector<Payload> payloads_;
  SystemClock clock_;
  Log log_{LogLevel::kError};
  std::unique_ptr<SqliteStoreFixture> fixture_;
};

void MeasureAll(Bench& bench, const char* servers, StageTable& table) {
  const double decode = bench.Decoding(false).thread;
  const double rules = bench.Decoding(true).thread;
  const double collect = bench.Collecting().thread;
  const double append = bench.Appending().thread;
  const double forward = bench.Forwarding().thread;
  table.Add("decode", decode);
  table.Add("rules", rules - decode);
  table.Add("collect", collect - rules);
  table.Add("append", append - collect);
  table.Add("forward", forward);
  if (servers == nullptr) return;
  bench.Appending();
  const Cost produce = bench.Producing(servers);
  table.Add("produce", produce.thread - forward);
  table.Add("threads", produce.others);
}

// Runs one stage with those that it includes, for a profiler.
void MeasureOne(Bench& bench, std::string_view stage, StageTable& table) {
  if (stage == "decode") table.Add("decode", bench.Decoding(false).thread);
  if (stage == "rules") table.Add("rules", bench.Decoding(true).thread);
  if (stage == "collect") table.Add("collect", bench.Collecting().thread);
  if (stage == "append") table.Add("append", bench.Appending().thread);
  if (stage == "forward") {
    bench.Appending();
    table.Add("forward", bench.Forwarding().thread);
  }
}

int Main(int argc, char** argv) {
  const StageOptions options = ParseStageOptions(argc, argv, "--commit=", {});
  Bench bench(options);
  StageTable table({"decode", "rules", "collect", "append", "forward", "produce", "threads"},
                   "record");
  for (size_t i = 0; i < options.rounds; ++i) {
    if (options.stage.empty()) {
      MeasureAll(bench, std::getenv("KAFKA_BOOTSTRAP_SERVERS"), table);
    } else {
      MeasureOne(bench, options.stage, table);
    }
  }
  table.Print(options.json);
  return 0;
}

}  // namespace
}  // namespace tidegate

int main(int argc, char** argv) {
  return tidegate::Main(argc, argv);
}
