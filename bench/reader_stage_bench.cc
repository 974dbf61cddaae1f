// Measures the CPU time of each stage of the reader for a document, on the simulated fleet's
// heartbeats:
//
//   poll     polls messages from librdkafka (reader/consume/kafka_source); needs
//            KAFKA_BOOTSTRAP_SERVERS, whose topic must hold them
//   decode   decodes a message to a document (reader/decode/decoder)
//   batch    adds it to the batch, applies the result of the write, finds the offsets that may be
//            committed (reader/land/batch)
//   bson     converts the document to BSON (reader/database/mongo/mongo_bson)
//   write    the rest of the landing's Write: libmongoc, the command, the reply; needs MONGO_URL
//   fetch    librdkafka's own threads while poll is measured; all other stages count the calling
//            thread only
//
// It prints the medians of the rounds.
//
//   reader_stage_bench [--count=50000] [--batch=5000] [--rounds=5] [--json] [STAGE ...]
//
// With one of decode, batch, bson it runs only that stage, for a profiler:
//   valgrind --tool=callgrind --toggle-collect='*RunStage*' reader_stage_bench --rounds=1 bson
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bench/reader_rig.h"
#include "bench/stage_run.h"
#include "core/log.h"
#include "reader/consume/kafka_settings.h"
#include "reader/consume/kafka_source.h"
#include "reader/database/landing.h"
#include "reader/database/mongo/mongo_bson.h"
#include "reader/land/batch.h"

namespace tidegate::reader {
namespace {

using namespace std::chrono_literals;

class NoListener final : public SourceListener {
 public:
  void OnAssigned(std::span<const Partition>) override {}
  void OnRevoked(std::span<const Partition>, bool) override {}
  void OnLag(std::span<const PartitionLag>, bool) override {}
};

class Bench {
 public:
  explicit Bench(const StageOptions& options)
      : options_(options), messages_(BenchMessages(options.count)) {}

  double Decoding() {
    return RunStage(options_.count,
                    [&] {
                      for (const SourceMessage& message : messages_)
                        static_cast<void>(decoder_.Decode(message, clock_.Now()));
                    })
        .thread;
  }

  double Batching() {
    std::vector<SourceMessage> messages = messages_;
    std::vector<Document> documents = Documents(0, messages.size());
    const std::vector<WriteResult> landed(options_.batch);
    return RunStage(options_.count,
                    [&] {
                      Batch batch;
                      for (size_t first = 0; first + options_.batch <= messages.size();
                           first += options_.batch) {
                        for (size_t i = first; i < first + options_.batch; ++i)
                          batch.Add(std::move(messages[i]), std::move(documents[i]));
                        batch.ApplyResults(landed, 1);
                        if (!batch.done() || batch.Finished().empty()) std::abort();
                        batch.Clear();
                      }
                    })
        .thread;
  }

  double MakingBson() {
    const std::vector<Document> documents = Documents(0, messages_.size());
    return RunStage(options_.count,
                    [&] {
                      Bson bson;
                      for (const Document& document : documents) {
                        bson_reinit(bson.get());
                        if (!AppendDocument(document, bson.get()).ok()) std::abort();
                      }
                    })
        .thread;
  }

  // Measures the conversion to BSON and the write. Each round uses a database of its own.
  double Writing(const char* uri) {
    database_ = fmt::format("bench_stages_{}_{}", ::getpid(), ++writes_);
    const auto landing = OpenLanding(uri);
    if (!landing.ok()) Fail(landing.error());
    const auto store = (*landing)->NewStore(log_);
    if (!store.ok()) Fail(store.error());
    double spent = 0;
    for (size_t first = 0; first < messages_.size(); first += options_.batch) {
      const size_t count = std::min(options_.batch, messages_.size() - first);
      const std::vector<Document> documents = Documents(first, count);
      spent += RunStage(options_.count, [&] {
                 const auto results = (*store)->Write(documents);
                 if (!results.ok()) Fail(results.error());
               }).thread;
    }
    return spent;
  }

  // Waits for the assignment of partitions, then polls `count` messages, which the topic must hold.
  Cost Polling(const char* servers) {
    const kafka::Properties settings{
        {"bootstrap.servers", servers},
        {"group.id", fmt::format("bench-stages-{}-{}", ::getpid(), ++polls_)}};
    auto source = OpenKafkaSource(
        {.request = ConsumerRequest(settings, {}), .subscription = {std::string(kBenchTopic)}},
        clock_, log_);
    if (!source.ok()) Fail(source.error());
    NoListener listener;
    (*source)->SetListener(&listener);
    if (!Next(**source)) Fail({ErrorCode::kUnavailable, "the topic holds no messages"});
    const Cost cost = RunStage(options_.count, [&] {
      for (size_t i = 1; i < options_.count; ++i) {
        if (!Next(**source)) Fail({ErrorCode::kUnavailable, "the topic holds too few messages"});
      }
    });
    (*source)->Close();
    return cost;
  }

 private:
  [[noreturn]] static void Fail(const Error& error) {
    fmt::print(stderr, "{}\n", error.message);
    std::exit(1);
  }

  bool Next(Source& source) {
    const BootTime deadline = clock_.SinceBoot() + 30s;
    while (clock_.SinceBoot() < deadline) {
      const auto message = source.Poll(100ms);
      if (!message.ok()) Fail(message.error());
      if (*message) return true;
    }
    return false;
  }

  std::vector<Document> Documents(size_t first, size_t count) const {
    const Decoder decoder = BenchDecoder(database_);
    std::vector<Document> documents;
    documents.reserve(count);
    for (size_t i = first; i < first + count; ++i)
      documents.push_back(BenchDocument(decoder, messages_[i]));
    return documents;
  }

  const StageOptions options_;
  const std::vector<SourceMessage> messages_;
  const SystemClock clock_;
  const Log log_{LogLevel::kError};
  std::string database_ = "bench";
  const Decoder decoder_ = BenchDecoder("bench");
  int polls_ = 0;
  int writes_ = 0;
};

void Measure(Bench& bench, const std::string& stage, StageTable& table) {
  const auto wanted = [&](std::string_view name) { return stage.empty() || stage == name; };
  if (wanted("decode")) table.Add("decode", bench.Decoding());
  if (wanted("batch")) table.Add("batch", bench.Batching());
  double bson = 0;
  if (wanted("bson")) table.Add("bson", bson = bench.MakingBson());
  if (!stage.empty()) return;
  if (const char* uri = std::getenv("MONGO_URL")) table.Add("write", bench.Writing(uri) - bson);
  if (const char* servers = std::getenv("KAFKA_BOOTSTRAP_SERVERS")) {
    const Cost cost = bench.Polling(servers);
    table.Add("poll", cost.thread);
    table.Add("fetch", cost.others);
  }
}

int Main(int argc, char** argv) {
  const StageOptions options = ParseStageOptions(argc, argv, "--batch=", {.batch = 5'000});
  Bench bench(options);
  StageTable table({"poll", "decode", "batch", "bson", "write", "fetch"}, "document");
  for (size_t i = 0; i < options.rounds; ++i) Measure(bench, options.stage, table);
  table.Print(options.json);
  return 0;
}

}  // namespace
}  // namespace tidegate::reader

int main(int argc, char** argv) {
  return tidegate::reader::Main(argc, argv);
}
