// Measures how the landing's rate depends on the number of tenants that have databases of their own
// on one server. For each number of tenants it lands the same number of heartbeats, whose tenants
// follow each other at random, through a worker and its writers, with one writing thread and with
// the worker's own number of them. It prints documents a second, records for each insert command,
// and the largest memory of the process so far.
//
//   reader_tenants_bench MONGODB_URI [COUNT]
//
// With `tidegate-mongo-stub --sink` as the server, which discards the documents, the rate is the
// ceiling of reader and protocol; a real server's rate for small inserts is the limit below it.
#include <fmt/format.h>
#include <sys/resource.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "core/log.h"
#include "reader/database/routed/routed_landing.h"
#include "reader/land/worker.h"

namespace tidegate::reader {
namespace {

const Partition kPartition{"telematics.raw.telematics_heartbeat", 0};

// Makes `count` heartbeats of `tenants` tenants.
class MadeSource final : public Source {
 public:
  MadeSource(size_t count, size_t tenants) : count_(count), tenants_(tenants) {}

  void SetListener(SourceListener* listener) override { listener_ = listener; }
  Result<std::optional<SourceMessage>> Poll(std::chrono::milliseconds) override {
    if (made_ == count_) return std::optional<SourceMessage>();
    if (made_ == 0) listener_->OnAssigned({&kPartition, 1});
    random_ = random_ * 6364136223846793005u + 1442695040888963407u;
    SourceMessage message;
    message.partition = kPartition;
    message.offset = static_cast<int64_t>(made_++);
    const std::string tenant = fmt::format("t{}", (random_ >> 33) % tenants_);
    message.key = tenant + "/truck-1";
    message.value = fmt::format(
        R"({{"event_id":"e{}","tenant_id":"{}","asset_id":"truck-1","driver_id":"d-17",)"
        R"("driver_name":"A. Driver","timestamp":"2025-06-23T00:37:01.250Z",)"
        R"("location":{{"latitude":40.7128,"longitude":-74.0060}},"status":"active",)"
        R"("additional_data":{{"speed_kmh":81.5,"fuel_percent":54,"odometer_km":120345.7}}}})",
        made_, tenant);
    return std::optional<SourceMessage>(std::move(message));
  }
  void StoreOffsets(std::span<const Position> positions) override {
    stored_ = static_cast<size_t>(positions.back().next_offset);
  }
  Result<int64_t> EarliestOffset(const Partition&) override { return int64_t{0}; }
  Result<std::vector<Position>> CommittedOffsets(std::span<const Partition>) override {
    return std::vector<Position>();
  }
  void Pause() override {}
  void Resume() override {}
  void Close() override {}

  bool done() const { return stored_ == count_; }

 private:
  const size_t count_;
  const size_t tenants_;
  SourceListener* listener_ = nullptr;
  uint64_t random_ = 1;
  size_t made_ = 0;
  size_t stored_ = 0;
};

class NoDeadLetters final : public DeadLetters {
 public:
  std::vector<Status> Publish(std::span<const DeadLetter>) override {
    fmt::print(stderr, "a heartbeat was refused\n");
    std::exit(1);
  }
};

// Counts the insert commands: one for each run of documents of one namespace.
class CountingStore final : public DocumentStore {
 public:
  explicit CountingStore(DocumentStore& store) : store_(store) {}
  Result<std::vector<WriteResult>> Write(std::span<const Document> documents) override {
    for (size_t i = 0; i < documents.size(); ++i)
      if (i == 0 || documents[i].ns != documents[i - 1].ns) ++inserts_;
    return store_.Write(documents);
  }
  Status EnsureIndexes(const Namespace&, std::span<const Index>) override { return {}; }
  Status Ping() override { return store_.Ping(); }

  size_t inserts() const { return inserts_; }

 private:
  DocumentStore& store_;
  size_t inserts_ = 0;
};

struct Figures {
  double rate;
  double records_per_insert;
};

Figures Land(const std::string& uri, size_t count, size_t tenants, size_t threads) {
  const SystemClock clock;
  const Log log(LogLevel::kWarning);
  Metrics metrics;
  ReaderMetrics reader_metrics(metrics);
  StatusBoard board(1);
  const std::string database = fmt::format("bench{}x{}", tenants, threads);
  const Decoder decoder({.tenancy = Tenancy::kDatabase, .database = database},
                        StreamTable::Make({BuiltInStreams()[0]}).value());
  const auto landing = OpenLandings(uri, {}).value();
  const auto writer = landing->NewWriter(log, threads).value();
  CountingStore store(*writer);
  const auto projections = landing->NewProjections().value();
  MadeSource source(count, tenants);
  NoDeadLetters dead_letters;
  Worker worker(
      {.database = database},
      {source, store, *projections, dead_letters, decoder, clock, log, reader_metrics, board}, 0,
      1);
  const auto began = std::chrono::steady_clock::now();
  while (!source.done())
    if (!worker.Step(std::chrono::milliseconds(1)).ok()) std::exit(1);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  worker.Stop();
  return {static_cast<double>(count) / took.count(),
          static_cast<double>(count) / static_cast<double>(store.inserts())};
}

long LargestMemory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

int Main(int argc, char** argv) {
  size_t count = 100'000;
  const bool parsed =
      argc < 3 || std::from_chars(argv[2], argv[2] + std::strlen(argv[2]), count).ec == std::errc{};
  if (argc < 2 || argc > 3 || !parsed || count == 0) {
    fmt::print(stderr, "usage: reader_tenants_bench MONGODB_URI [COUNT]\n");
    return 2;
  }
  const size_t own = Worker::Options{}.write_threads;
  fmt::print("{:>8} {:>10} {:>10} {:>15} {:>6}\n", "tenants", "1 thread",
             fmt::format("{} threads", own), "records/insert", "MiB");
  for (const size_t tenants : {1, 100, 1'000, 10'000}) {
    const Figures one = Land(argv[1], count, tenants, 1);
    const Figures many = Land(argv[1], count, tenants, own);
    fmt::print("{:>8} {:>10.0f} {:>10.0f} {:>15.1f} {:>6}\n", tenants, one.rate, many.rate,
               many.records_per_insert, LargestMemory());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace tidegate::reader

int main(int argc, char** argv) {
  return tidegate::reader::Main(argc, argv);
}
