#include "agent/control/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/json/json.h"
#include "core/quantity.h"
#include "core/time_format.h"

namespace tidegate {

namespace {

void Text(json::Writer& writer, std::string_view key, std::string_view text) {
  writer.Key(key);
  writer.String(text);
}
void Count(json::Writer& writer, std::string_view key, uint64_t number) {
  writer.Key(key);
  writer.Unsigned(number);
}
void Flag(json::Writer& writer, std::string_view key, bool value) {
  writer.Key(key);
  writer.Bool(value);
}

void WriteStore(json::Writer& writer, const StatusReport& report) {
  const StoreUsage& store = report.store;
  writer.Key("store");
  writer.BeginObject();
  writer.Key("records");
  writer.BeginObject();
  for (RecordClass record_class : kRecordClasses) {
    Count(writer, RecordClassName(record_class), store.records[static_cast<size_t>(record_class)]);
  }
  writer.EndObject();
  Count(writer, "batches", store.batches);
  Count(writer, "bytes", store.bytes);
  Count(writer, "max_bytes", store.max_bytes);
  Count(writer, "dead_letters", store.dead_letters);
  Count(writer, "set_aside_files", store.set_aside_files);
  Count(writer, "set_aside_bytes", store.set_aside_bytes);
  writer.Key("oldest");
  if (store.oldest) {
    writer.String(FormatTime(*store.oldest));
  } else {
    writer.Null();
  }
  Flag(writer, "open", report.store_error.empty());
  Text(writer, "error", report.store_error);
  Flag(writer, "blocked", report.store_blocked);
  writer.EndObject();
}

void WriteInputs(json::Writer& writer, const StatusReport& report) {
  writer.Key("inputs");
  writer.BeginObject();
  for (const auto& input : report.inputs) {
    writer.Key(input.name);
    writer.BeginObject();
    Flag(writer, "connected", input.connected);
    Text(writer, "detail", input.detail);
    Count(writer, "received", input.received);
    Count(writer, "settled", input.settled);
    Count(writer, "refused", input.refused);
    Count(writer, "redelivered", input.redelivered);
    writer.EndObject();
  }
  writer.EndObject();
}

void WriteGate(json::Writer& writer, const SendGateStatus& gate, WallTime now) {
  const auto time = [&](std::string_view key, std::optional<std::chrono::seconds> in) {
    writer.Key(key);
    in ? writer.String(FormatTime(now + *in)) : writer.Null();
  };
  Flag(writer, "open", gate.open);
  Count(writer, "passed", gate.passed);
  writer.Key("budgets");
  writer.BeginObject();
  for (const auto& budget : gate.budgets) {
    writer.Key(budget.limit.PeriodName());
    writer.BeginObject();
    Count(writer, "used", budget.used);
    Count(writer, "limit", budget.limit.bytes);
    time("resets", budget.resets_in);
    writer.EndObject();
  }
  writer.EndObject();
  writer.Key("window");
  if (gate.windows.empty()) return writer.Null();
  writer.BeginObject();
  std::string windows;
  for (const SendWindow& window : gate.windows) {
    windows += (windows.empty() ? "" : ",") + window.Text();
  }
  Text(writer, "windows", windows);
  Flag(writer, "open", gate.window_open);
  Flag(writer, "ignored", gate.windows_ignored);
  time(gate.window_open ? "closes" : "opens", gate.window_changes_in);
  writer.EndObject();
}

void WriteUplink(json::Writer& writer, const StatusReport::UplinkPart& uplink, WallTime now) {
  writer.Key("uplink");
  writer.BeginObject();
  Flag(writer, "configured", uplink.configured);
  Flag(writer, "connected", uplink.connected);
  Text(writer, "detail", uplink.detail);
  Count(writer, "in_flight", uplink.in_flight);
  Count(writer, "acked", uplink.acked);
  Count(writer, "retried", uplink.retried);
  Count(writer, "rejected", uplink.rejected);
  WriteGate(writer, uplink.gate, now);
  writer.EndObject();
}

// The largest unit that fits: 3d, 5h, 12m, 40s.
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

// Reads the members of one status object; a missing one reads as zero or empty, so that versions
// may differ.
class Part {
 public:
  explicit Part(std::optional<json::Value> object) : object_(object) {}
  Part operator[](std::string_view key) const {
    return Part(object_ ? object_->Find(key) : std::nullopt);
  }
  std::string text() const {
    return object_ && object_->is_string() ? std::string(object_->as_string()) : "";
  }
  uint64_t count() const {
    return object_ && object_->is_number() ? static_cast<uint64_t>(object_->as_number()) : 0;
  }
  std::optional<double> number() const {
    return object_ && object_->is_number() ? std::optional(object_->as_number()) : std::nullopt;
  }
  bool flag() const {
    return object_ && object_->type() == json::Type::kBool && object_->as_bool();
  }
  std::optional<json::Value> First() const { return object_ ? object_->First() : std::nullopt; }

 private:
  std::optional<json::Value> object_;
};

std::string Mebibytes(uint64_t bytes) {
  return fmt::format("{:.1f}", static_cast<double>(bytes) / (1 << 20));
}

// The lines under "uplink" that an operator has set limits for.
std::string GateText(const Part& uplink) {
  std::string out;
  for (auto budget = uplink["budgets"].First(); budget; budget = budget->Next()) {
    const Part part(budget);
    const bool small = part["limit"].count() < 1 << 20;
    const auto amount = [&](std::string_view key) {
      return static_cast<double>(part[key].count()) / (small ? 1 << 10 : 1 << 20);
    };
    out +=
        fmt::format("         {:.1f} of {:.1f} {} used this {}, until {}\n", amount("used"),
                    amount("limit"), small ? "KiB" : "MiB", budget->key(), part["resets"].text());
  }
  const Part window = uplink["window"];
  if (window["windows"].text().empty()) return out;
  const bool open = window["open"].flag();
  const std::string change = window[open ? "closes" : "opens"].text();
  out +=
      fmt::format("         window {}: {}{}\n", window["windows"].text(),
                  window["ignored"].flag() ? "ignored, the clock is not synchronised"
                  : open                   ? "open"
                                           : "closed",
                  change.empty() ? "" : fmt::format(", {} {}", open ? "closes" : "opens", change));
  return out;
}

}  // namespace

std::string StatusJson(const StatusReport& report) {
  std::string out;
  json::Writer writer(out);
  writer.BeginObject();
  Text(writer, "gateway_id", report.gateway_id);
  Text(writer, "version", report.version);
  Count(writer, "uptime_seconds", static_cast<uint64_t>(report.uptime.count()));
  Text(writer, "epoch", report.epoch);
  Text(writer, "time", FormatTime(report.now));
  Flag(writer, "clock_synced", report.clock_synced);
  writer.Key("clock_correction_seconds");
  if (report.clock_correction) {
    writer.Double(std::chrono::duration<double>(*report.clock_correction).count());
  } else {
    writer.Null();
  }
  WriteStore(writer, report);
  WriteInputs(writer, report);
  WriteUplink(writer, report.uplink, report.now);
  writer.Key("alerts");
  writer.BeginObject();
  Count(writer, "raised", report.alerts_raised);
  writer.EndObject();
  Text(writer, "http", report.http);
  writer.EndObject();
  return out;
}

Result<std::string> StatusText(std::string_view status_json) {
  const auto document = json::Document::Parse(status_json);
  if (!document.ok()) return document.error();
  const Part status(document->root());
  const Part store = status["store"];
  const Part uplink = status["uplink"];
  uint64_t records = 0;
  for (RecordClass record_class : kRecordClasses)
    records += store["records"][RecordClassName(record_class)].count();
  std::string out = fmt::format(
      "gateway  {} (tidegate-agent {}, up {}, clock {})\n", status["gateway_id"].text(),
      status["version"].text(), Rough(std::chrono::seconds(status["uptime_seconds"].count())),
      ClockText(status["clock_synced"].flag(), status["clock_correction_seconds"].number()));
  out += fmt::format("store    {} records in {} batches, {} of {} MiB, oldest {}{}\n", records,
                     store["batches"].count(), Mebibytes(store["bytes"].count()),
                     Mebibytes(store["max_bytes"].count()),
                     store["oldest"].text().empty() ? "-" : store["oldest"].text(),
                     store["blocked"].flag() ? " - COMMITS FAIL, see the log" : "");
  if (const std::string error = store["error"].text(); !error.empty()) {
    out += fmt::format("         NOT OPEN, nothing is read from the inputs: {}\n", error);
  }
  out += fmt::format("         {} dead letters (tidegate-agent export --dead-letters shows them)\n",
                     store["dead_letters"].count());
  if (store["set_aside_files"].count() > 0) {
    out += fmt::format("         {} damaged or foreign file(s) beside the store, {:.1f} MiB\n",
                       store["set_aside_files"].count(),
                       static_cast<double>(store["set_aside_bytes"].count()) / (1 << 20));
  }
  for (auto input = status["inputs"].First(); input; input = input->Next()) {
    const Part part(input);
    out +=
        fmt::format("input    {}: {}; {} received, {} durable, {} refused, {} redelivered\n",
                    input->key(), part["detail"].text(), part["received"].count(),
                    part["settled"].count(), part["refused"].count(), part["redelivered"].count());
  }
  out +=
      fmt::format("uplink   {}; {} delivered, {} in flight, {} rejected\n", uplink["detail"].text(),
                  uplink["acked"].count(), uplink["in_flight"].count(), uplink["rejected"].count());
  out += GateText(uplink);
  out += fmt::format("alerts   {} raised now\n", status["alerts"]["raised"].count());
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
  return line;
}

}  // namespace tidegate
