#include "agent/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "agent/control/control_socket.h"
#include "agent/control/record_line.h"
#include "agent/control/status.h"
#include "core/json/tree.h"
#include "core/output.h"
#include "core/time_format.h"
#include "store/inspect.h"

namespace tidegate {

namespace {

// The agent answers within milliseconds, unless its disk holds it up.
constexpr std::chrono::seconds kStatusLimit{3};

int Failed(const std::string& what) {
  std::fprintf(stderr, "tidegate-agent: %s\n", what.c_str());
  return kExitFailed;
}

// While the agent restarts, its messages wait in the broker. Measured: with Debian's defaults the
// broker dropped 18,980 of the 20,000 messages of an outage.
constexpr std::string_view kBrokerNotes = R"(
The broker keeps messages for the agent while it restarts. For mosquitto, set in /etc/mosquitto/conf.d/:
  max_queued_messages 0               the default keeps 1,000 a client and drops the rest in silence
  max_queued_bytes 67108864           the bound in place of it: what the gateway's memory allows
  persistence true                    else a restart of the broker forgets what it kept
  autosave_interval 60                seconds of messages that a power cut of the broker's may take
  max_inflight_messages 1000          more on the way before the agent's acknowledgement: higher throughput
  persistent_client_expiration 7d     sessions of clients that never come back
)";

bool HasBroker(const Settings& settings) {
  return std::ranges::any_of(settings.inputs, [](const InputConfig& input) {
    return input.uri.scheme.starts_with("mqtt");
  });
}

bool PrintRecord(const std::string& line, bool json) {
  return Print((json ? line : RecordTextLine(line)) + "\n");
}

std::string DeadLetterLine(int64_t id, const DeadLetter& letter) {
  json::Tree line;
  json::Members members = line.members();
  members.Integer("id", id);
  members.Text("time", FormatTime(letter.time));
  members.Text("input", letter.input);
  members.Text("origin", letter.origin);
  members.Text("reason", letter.reason);
  members.Unsigned("payload_bytes", letter.payload_bytes());
  members.Flag("truncated", letter.truncated());
  members.Text("payload", letter.payload);
  return line.Print();
}

std::string LineOf(const StoredRecord& stored, const std::string& gateway) {
  return RecordJsonLine(SequenceId(gateway, stored.epoch, stored.seq), stored.record);
}

// Prints the newest stored records, the oldest of them first.
Status PrintStored(const Environment& environment, const TailOptions& options) {
  const std::string path = StorePath(FindStoreDir(environment));
  const std::string gateway = FindGatewayId(environment);
  return Status(ForEachRecord(path, {.record_class = options.kind, .last = options.count},
                              [&](const StoredRecord& stored) {
                                return PrintRecord(LineOf(stored, gateway), options.json);
                              }));
}

}  // namespace

int CheckCommand(const Environment& environment, const Credentials& credentials) {
  const LoadedSettings loaded = LoadSettings(environment, credentials);
  size_t name_width = 0, value_width = 0;
  for (const auto& setting : loaded.effective) {
    name_width = std::max(name_width, setting.name.size());
    value_width = std::min<size_t>(std::max(value_width, setting.value.size()), 60);
  }
  for (const auto& setting : loaded.effective) {
    Print(fmt::format("{:{}}  {:{}}  {}\n", setting.name, name_width, setting.value, value_width,
                      setting.origin));
  }
  if (HasBroker(loaded.settings)) Print(kBrokerNotes);
  Print("\n");
  for (const std::string& warning : loaded.warnings) Print(fmt::format("warning: {}\n", warning));
  for (const std::string& problem : loaded.problems) Print(fmt::format("problem: {}\n", problem));
  if (loaded.problems.empty()) {
    Print("The configuration can work.\n");
    return kExitOk;
  }
  Print(fmt::format("{} problem(s): `tidegate-agent run` would refuse to start.\n",
                    loaded.problems.size()));
  return kExitUsage;
}

int StatusCommand(const Environment& environment, bool json) {
  const std::string path = FindControlSocket(environment);
  std::string answer;
  const Status asked = AskControlSocket(
      path, "status",
      [&](std::string_view line) {
        answer = line;
        return false;
      },
      kStatusLimit);
  if (!asked.ok()) {
    return Failed(
        fmt::format("no running agent answers: {}. Is it started (systemctl status "
                    "tidegate-agent), and may you "
                    "use its socket (group tidegate-agent)?",
                    asked.error().message));
  }
  if (json) {
    Print(answer + "\n");
    return kExitOk;
  }
  const auto text = StatusText(answer);
  if (!text.ok()) return Failed(text.error().message);
  Print(*text);
  return kExitOk;
}

int TailCommand(const Environment& environment, const TailOptions& options) {
  const Status stored = PrintStored(environment, options);
  if (!options.follow) return stored.ok() ? kExitOk : Failed(stored.error().message);
  if (!FlushOutput()) return kExitFailed;
  const std::string request =
      options.kind ? fmt::format("tail {}", RecordClassName(*options.kind)) : std::string("tail");
  const Status followed =
      AskControlSocket(FindControlSocket(environment), request, [&](std::string_view line) {
        return PrintRecord(std::string(line), options.json) && FlushOutput();
      });
  return followed.ok() ? kExitOk
                       : Failed("no running agent to follow: " + followed.error().message);
}

int ExportCommand(const Environment& environment, const std::string& path,
                  const ExportOptions& options) {
  const auto letter_visitor = [](int64_t id, const DeadLetter& letter) {
    return Print(DeadLetterLine(id, letter) + "\n");
  };
  const auto epoch = ReadEpoch(path);
  if (!epoch.ok() && epoch.error().code == ErrorCode::kInvalid) {
    return Failed(epoch.error().message);
  }
  const bool opens = !options.is_set_aside && epoch.ok();
  if (options.dead_letters) {
    const auto counted = opens ? ForEachDeadLetter(path, std::nullopt, letter_visitor)
                               : ForEachDeadLetterFound(path, letter_visitor);
    return counted.ok() ? kExitOk : Failed(counted.error().message);
  }
  const std::string gateway = FindGatewayId(environment);
  const auto visitor = [&](const StoredRecord& stored) {
    return PrintRecord(LineOf(stored, gateway), true);
  };
  const RecordFilter filter{.record_class = options.kind, .last = std::nullopt};
  const auto counted =
      opens ? ForEachRecord(path, filter, visitor) : ForEachRecordFound(path, filter, visitor);
  if (!counted.ok()) {
    const bool damaged = opens && counted.error().code == ErrorCode::kCorrupt;
    return Failed(
        counted.error().message +
        (damaged ? fmt::format("; `tidegate-agent export --file {}` reads on", path) : ""));
  }
  std::fprintf(stderr, "%llu records\n", static_cast<unsigned long long>(counted->records));
  if (counted->damaged_batches == 0) return kExitOk;
  return Failed(
      fmt::format("{} damaged batches were passed over; `tidegate-agent verify` names them",
                  counted->damaged_batches));
}

int VerifyCommand(const std::string& path) {
  const auto report = Verify(path);
  if (!report.ok()) {
    std::fprintf(stderr, "tidegate-agent: %s\n", report.error().message.c_str());
    return report.error().code == ErrorCode::kCorrupt ? kExitDamaged : kExitFailed;
  }
  for (const std::string& finding : report->findings) Print(finding + "\n");
  Print(fmt::format(
      "{}: {} records in {} batches, {} dead letters, {}\n", path, report->records, report->batches,
      report->dead_letters,
      report->ok() ? "no damage" : fmt::format("{} finding(s)", report->findings.size())));
  return report->ok() ? kExitOk : kExitDamaged;
}

}  // namespace tidegate
