#include "reader/project/replay/replay_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>

#include "core/output.h"
#include "core/time_format.h"
#include "reader/consume/kafka_settings.h"
#include "reader/database/migrator.h"
#include "reader/database/routed/routed_landing.h"
#include "reader/project/replay/kafka_topic_reader.h"

namespace tidegate::reader {

namespace {
constexpr int kFailed = 1;
constexpr int kMisused = 2;

Error Invalid(std::string text) {
  return {ErrorCode::kInvalid, std::move(text)};
}

Status SetTime(std::string_view option, const std::string& text, std::optional<WallTime>& time) {
  if (text.empty()) return {};
  time = ParseTime(text);
  if (time) return {};
  return Invalid(fmt::format("{}: '{}' is not a time, such as 2025-06-23T00:37:01Z", option, text));
}

// The store of a dry run, which is never called.
class NoStore final : public DocumentStore {
 public:
  Result<std::vector<WriteResult>> Write(std::span<const Document>) override { return Refusal(); }
  Status EnsureIndexes(const Namespace&, std::span<const Index>) override { return Refusal(); }
  Status Ping() override { return Refusal(); }

 private:
  static Error Refusal() { return {ErrorCode::kInvalid, "a dry run has no database"}; }
};

Result<std::unique_ptr<DocumentStore>> StoreFor(Landing& landing, bool dry_run, const Log& log) {
  if (dry_run) return std::unique_ptr<DocumentStore>(std::make_unique<NoStore>());
  return landing.NewStore(log);
}
}  // namespace

Result<ReplayChoice> ParseChoice(const ReplayArguments& arguments) {
  ReplayChoice choice;
  const auto kinds = RefusalKindNames();
  if (!arguments.reason.empty() && std::ranges::count(kinds, arguments.reason) == 0) {
    return Invalid(
        fmt::format("--reason: '{}' is none of {}", arguments.reason, fmt::join(kinds, ", ")));
  }
  if (!arguments.reason.empty()) choice.reason = arguments.reason;
  if (!arguments.tenant.empty()) choice.tenant = arguments.tenant;
  if (!arguments.topic.empty()) choice.topic = arguments.topic;
  if (Status status = SetTime("--from", arguments.from, choice.from); !status.ok())
    return status.error();
  if (Status status = SetTime("--to", arguments.to, choice.to); !status.ok()) return status.error();
  choice.limit = arguments.limit;
  return choice;
}

int ReplayDeadLetters(const ReplayArguments& arguments, const Config& config, const Log& log) {
  CHECK(config.problems.empty(), "a verb runs with a configuration that has no problems");
  auto choice = ParseChoice(arguments);
  if (!choice.ok()) return log.Error("{}", choice.error().message), kMisused;
  const SystemClock clock;
  const auto landing = OpenLandings(config.landing, config.landing_of_database);
  if (!landing.ok()) return log.Error("{}", landing.error().message), kFailed;
  const auto store = StoreFor(**landing, arguments.dry_run, log);
  if (!store.ok()) return log.Error("{}", store.error().message), kFailed;
  const auto letters = OpenKafkaTopicReader(
      {.request = ConsumerRequest(config.kafka_settings, config.kafka_credentials),
       .topic = config.dlq_topic},
      clock, log);
  if (!letters.ok()) return log.Error("{}", letters.error().message), kFailed;
  const Decoder decoder(config.decoder, StreamTable::Make(config.streams).value());
  std::unique_ptr<ProjectionStore> projections;
  if (!arguments.dry_run) {
    auto opened = (*landing)->NewProjections();
    if (!opened.ok()) return log.Error("{}", opened.error().message), kFailed;
    projections = std::move(opened).value();
    // `run` migrates too, before it writes.
    if (Status ready = Migrator({**store, *projections, decoder.layout(), clock, log}).Run();
        !ready.ok())
      return log.Error("{}", ready.error().message), kFailed;
  }
  Replay replay({.choice = std::move(choice).value(),
                 .dry_run = arguments.dry_run,
                 .batch_records = config.worker.batch_records,
                 .batch_bytes = config.worker.batch_bytes,
                 .max_attempts = config.worker.max_attempts,
                 .backoff = config.worker.backoff,
                 .folder = config.projector.folder},
                {**letters, **store, projections.get(), decoder, clock, log,
                 [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }});
  const Status status = replay.Run();
  const ReplayReport& report = replay.report();
  Print(report.Text(arguments.dry_run));
  if (!status.ok()) log.Error("broken off: {}", status.error().message);
  return status.ok() && report.refused_count() == 0 && report.cut == 0 ? 0 : kFailed;
}

}  // namespace tidegate::reader
