#include "agent/control/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/json/tree.h"
#include "core/quantity.h"
#include "core/time_format.h"

namespace tidegate {

namespace {

void WriteStore(json::Members object, const StatusReport& report) {
  const StoreUsage& store = report.store;
  json::Members records = object.Object("records");
  for (RecordClass record_class : kRecordClasses) {
    records.Unsigned(RecordClassName(record_class),
                     store.records[static_cast<size_t>(record_class)]);
  }
  object.Unsigned("batches", store.batches);
  object.Unsigned("bytes", store.bytes);
  object.Unsigned("max_bytes", store.max_bytes);
  object.Unsigned("dead_letters", store.dead_letters);
  object.Unsigned("dead_letters_dropped", store.dead_letters_dropped);
  object.Unsigned("dead_letters_truncated", store.dead_letters_truncated);
  object.Unsigned("set_aside_files", store.set_aside_files);
  object.Unsigned("set_aside_bytes", store.set_aside_bytes);
  store.oldest ? object.Text("oldest", FormatTime(*store.oldest)) : object.Null("oldest");
  object.Flag("open", report.store_error.empty());
  object.Text("error", report.store_error);
  object.Flag("blocked", report.store_blocked);
  store.salvage_percent ? object.Unsigned("salvage_percent", *store.salvage_percent)
                        : object.Null("salvage_percent");
}

void WriteInputs(json::Members inputs, const StatusReport& report) {
  for (const auto& input : report.inputs) {
    json::Members object = inputs.Object(input.name);
    object.Flag("connected", input.connected);
    object.Text("detail", input.detail);
    object.Unsigned("received", input.received);
    object.Unsigned("settled", input.settled);
    object.Unsigned("refused", input.refused);
    object.Unsigned("redelivered", input.redelivered);
  }
}

void WriteGate(json::Members object, const SendGateStatus& gate, WallTime now) {
  const auto time = [now](json::Members members, std::string_view key,
                          std::optional<std::chrono::seconds> in) {
    in ? members.Text(key, FormatTime(now + *in)) : members.Null(key);
  };
  object.Flag("open", gate.open);
  object.Unsigned("passed", gate.passed);
  json::Members budgets = object.Object("budgets");
  for (const auto& budget : gate.budgets) {
    json::Members members = budgets.Object(budget.limit.PeriodName());
    members.Unsigned("used", budget.used);
    members.Unsigned("limit", budget.limit.bytes);
    time(members, "resets", budget.resets_in);
  }
  if (gate.windows.empty()) return object.Null("window");
  std::string windows;
  for (const SendWindow& window : gate.windows) {
    windows += (windows.empty() ? "" : ",") + window.Text();
  }
  json::Members window = object.Object("window");
  window.Text("windows", windows);
  window.Flag("open", gate.window_open);
  window.Flag("ignored", gate.windows_ignored);
  time(window, gate.window_open ? "closes" : "opens", gate.window_changes_in);
}

void WriteUplink(json::Members object, const StatusReport::UplinkPart& uplink, WallTime now) {
  object.Flag("configured", uplink.configured);
  object.Flag("connected", uplink.connected);
  object.Text("detail", uplink.detail);
  object.Unsigned("in_flight", uplink.in_flight);
  object.Unsigned("acked", uplink.acked);
  object.Unsigned("retried", uplink.retried);
  object.Unsigned("rejected", uplink.rejected);
  WriteGate(object, uplink.gate, now);
}

// Returns the age in the largest unit that fits twice: 3d, 5h, 12m, 40s.
std::string Rough(std::chrono::seconds age) {
  const auto count = std::max<int64_t>(age.count(), 0);
  if (count >= 2 * 86'400) return fmt::format("{}d", count / 86'400);
  if (count >= 2 * 3'600) return fmt::format("{}h", count / 3'600);
  if (count >= 2 * 60) return fmt::format("{}m", count / 60);
  return fmt::format("{}s", count);
}

std::string ClockText(bool synced, std::optional<double> correction_seconds) {
  std::string text = synced ? "synchronised" : "NOT synchronised";
  if (!correction_seconds) return text;
  const std::chrono::seconds off(std::llround(std::abs(*correction_seconds)));
  return text +
         fmt::format(", was {} {}", Rough(off), *correction_seconds < 0 ? "ahead" : "behind");
}

// Reads the members of one status object. A missing one reads as zero or empty, because the agent
// that answers may be of another version than this program.
class Part {
 public:
  explicit Part(std::optional<json::Item> object) : object_(object) {}
  Part operator[](std::string_view key) const {
    return Part(object_ ? object_->Find(key) : std::nullopt);
  }
  std::string_view key() const { return object_ ? object_->key() : std::string_view(); }
  std::string text(std::string_view key) const {
    if (!object_) return "";
    const auto text = object_->Text(key);
    return text.ok() ? std::string(*text) : "";
  }
  uint64_t count(std::string_view key) const {
    const double count = number(key).value_or(0);
    return count >= 0 && count < kMostCount ? static_cast<uint64_t>(count) : 0;
  }
  std::optional<double> number(std::string_view key) const {
    if (!object_) return std::nullopt;
    const auto number = object_->Number(key);
    return number.ok() ? std::optional(*number) : std::nullopt;
  }
  bool flag(std::string_view key) const {
    if (!object_) return false;
    const auto flag = object_->Flag(key);
    return flag.ok() && *flag;
  }
  // What is in the object, in its order.
  std::vector<Part> parts() const {
    std::vector<Part> parts;
    for (auto item = object_ ? object_->First() : std::nullopt; item; item = item->Next())
      parts.push_back(Part(item));
    return parts;
  }

 private:
  // 2^63: no count of an agent comes near it.
  static constexpr double kMostCount = 9'223'372'036'854'775'808.0;
  std::optional<json::Item> object_;
};

std::string Mebibytes(uint64_t bytes) {
  return fmt::format("{:.1f}", static_cast<double>(bytes) / (1 << 20));
}

// Returns the lines about the limits that an operator has set for the uplink.
std::string GateText(const Part& uplink) {
  std::string out;
  for (const Part& budget : uplink["budgets"].parts()) {
    const bool small = budget.count("limit") < 1 << 20;
    const auto amount = [&](std::string_view key) {
      return static_cast<double>(budget.count(key)) / (small ? 1 << 10 : 1 << 20);
    };
    out += fmt::format("         {:.1f} of {:.1f} {} used this {}, until {}\n", amount("used"),
                       amount("limit"), small ? "KiB" : "MiB", budget.key(), budget.text("resets"));
  }
  const Part window = uplink["window"];
  const std::string windows = window.text("windows");
  if (windows.empty()) return out;
  const bool open = window.flag("open");
  const std::string change = window.text(open ? "closes" : "opens");
  out +=
      fmt::format("         window {}: {}{}\n", windows,
                  window.flag("ignored") ? "ignored, the clock is not synchronised"
                  : open                 ? "open"
                                         : "closed",
                  change.empty() ? "" : fmt::format(", {} {}", open ? "closes" : "opens", change));
  return out;
}

}  // namespace

std::string StatusJson(const StatusReport& report) {
  json::Tree tree;
  json::Members root = tree.members();
  root.Text("gateway_id", report.gateway_id);
  root.Text("version", report.version);
  root.Unsigned("uptime_seconds", static_cast<uint64_t>(report.uptime.count()));
  root.Text("epoch", report.epoch);
  root.Text("time", FormatTime(report.now));
  root.Flag("clock_synced", report.clock_synced);
  if (report.clock_correction) {
    root.Number("clock_correction_seconds",
                std::chrono::duration<double>(*report.clock_correction).count());
  } else {
    root.Null("clock_correction_seconds");
  }
  WriteStore(root.Object("store"), report);
  WriteInputs(root.Object("inputs"), report);
  WriteUplink(root.Object("uplink"), report.uplink, report.now);
  root.Object("alerts").Unsigned("raised", report.alerts_raised);
  root.Text("http", report.http);
  root.Text("not_listening", fmt::format("{}", fmt::join(report.not_listening, "; ")));
  return tree.Print();
}

Result<std::string> StatusText(std::string_view status_json) {
  const auto tree = json::Tree::Parse(status_json);
  if (!tree.ok()) return tree.error();
  const Part status(tree->root());
  const Part store = status["store"];
  const Part uplink = status["uplink"];
  uint64_t records = 0;
  for (RecordClass record_class : kRecordClasses)
    records += store["records"].count(RecordClassName(record_class));
  std::string out = fmt::format(
      "gateway  {} (tidegate-agent {}, up {}, clock {})\n", status.text("gateway_id"),
      status.text("version"), Rough(std::chrono::seconds(status.count("uptime_seconds"))),
      ClockText(status.flag("clock_synced"), status.number("clock_correction_seconds")));
  const std::string oldest = store.text("oldest");
  out += fmt::format("store    {} records in {} batches, {} of {} MiB, oldest {}{}\n", records,
                     store.count("batches"), Mebibytes(store.count("bytes")),
                     Mebibytes(store.count("max_bytes")), oldest.empty() ? "-" : oldest,
                     store.flag("blocked") ? " - COMMITS FAIL, see the log" : "");
  if (const std::string error = store.text("error"); !error.empty()) {
    out += fmt::format("         NOT OPEN, nothing is read from the inputs: {}\n", error);
  }
  out += fmt::format("         {} dead letters (tidegate-agent export --dead-letters shows them)\n",
                     store.count("dead_letters"));
  if (const uint64_t dropped = store.count("dead_letters_dropped"); dropped > 0) {
    out += fmt::format("         {} older dead letters were dropped to make room\n", dropped);
  }
  if (const uint64_t files = store.count("set_aside_files"); files > 0) {
    out += fmt::format("         {} damaged or foreign file(s) beside the store, {} MiB\n", files,
                       Mebibytes(store.count("set_aside_bytes")));
  }
  if (const auto percent = store.number("salvage_percent")) {
    out += fmt::format("         SALVAGING a damaged file, {:.0f} % moved into this store\n",
                       *percent);
  }
  for (const Part& input : status["inputs"].parts()) {
    out += fmt::format("input    {}: {}; {} received, {} durable, {} refused, {} redelivered\n",
                       input.key(), input.text("detail"), input.count("received"),
                       input.count("settled"), input.count("refused"), input.count("redelivered"));
  }
  out +=
      fmt::format("uplink   {}; {} delivered, {} in flight, {} rejected\n", uplink.text("detail"),
                  uplink.count("acked"), uplink.count("in_flight"), uplink.count("rejected"));
  out += GateText(uplink);
  out += fmt::format("alerts   {} raised now\n", status["alerts"].count("raised"));
  if (const std::string ends = status.text("not_listening"); !ends.empty())
    out += fmt::format("NOT YET  {}\n", ends);
  return out;
}

std::string StatusLine(const StatusReport& report) {
  if (!report.store_error.empty()) return "WAITS FOR THE STORE: " + report.store_error;
  const auto connected =
      std::ranges::count_if(report.inputs, [](const auto& input) { return input.connected; });
  std::string line = fmt::format("{} records behind", report.store.total_records());
  if (report.store.oldest && report.store.total_records() > 0) {
    line += fmt::format(
        ", oldest {}",
        Rough(std::chrono::floor<std::chrono::seconds>(report.now - *report.store.oldest)));
  }
  line += fmt::format("; inputs {}/{} connected; uplink {}", connected, report.inputs.size(),
                      !report.uplink.configured  ? "not configured"
                      : !report.uplink.connected ? "away"
                      : report.uplink.gate.open  ? "connected"
                                                 : "connected, held back");
  if (report.store_blocked) line += "; COMMITS FAIL";
  if (const auto percent = report.store.salvage_percent) {
    line += fmt::format("; SALVAGING {} %", *percent);
  }
  return line;
}

}  // namespace tidegate
