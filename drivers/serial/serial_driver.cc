#include "drivers/serial/serial_driver.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/check.h"

namespace tidegate {
namespace {

// A device that is plugged in again is seen this late at worst.
constexpr Backoff::Options kReopen{.initial = std::chrono::milliseconds(500),
                                   .max = std::chrono::seconds(10)};
// One turn reads this often at most, so that a fast device does not keep the loop from the other
// sources.
constexpr int kReadsPerTurn = 16;
constexpr size_t kReadBytes = 4096;  // The kernel's line buffer holds no more.

void Add(Metrics::Counter& counter, uint64_t now, uint64_t& counted) {
  if (now > counted) counter.Increment(static_cast<double>(now - counted));
  counted = now;
}

}  // namespace

SerialDriver::Counters::Counters(Metrics& metrics, const std::string& input)
    : opened(metrics.AddCounter("tidegate_serial_opened_total", "Times the device was opened",
                                {{"input", input}})),
      overruns(metrics.AddCounter("tidegate_serial_overruns_total",
                                  "Bytes that the hardware or the kernel had no room for",
                                  {{"input", input}})),
      garbled(metrics.AddCounter("tidegate_serial_garbled_total",
                                 "Bytes with a framing or parity error", {{"input", input}})),
      no_fix(metrics.AddCounter("tidegate_serial_no_fix_total",
                                "Sentences of a receiver without a position", {{"input", input}})) {
  static constexpr std::array<std::string_view, kReasonCount> kNames{
      "too_long", "checksum", "malformed", "torn", "stopped"};
  for (size_t i = 0; i < kReasonCount; ++i) {
    dropped[i] = &metrics.AddCounter("tidegate_serial_dropped_lines_total", "Lines given up",
                                     {{"input", input}, {"reason", std::string(kNames[i])}});
  }
}

SerialDriver::SerialDriver(SerialOptions options, std::unique_ptr<ByteStream> stream,
                           const Clock& clock, const Log& log, Metrics& metrics, uint64_t seed)
    : options_(std::move(options)),
      clock_(clock),
      log_(log),
      counters_(metrics, options_.input.name),
      backoff_(kReopen, seed),
      stream_(std::move(stream)),
      framer_(MakeLineCodec(options_.codec)->max_line_bytes()),
      codec_(MakeLineCodec(options_.codec)) {}

SerialDriver::~SerialDriver() = default;

Status SerialDriver::Start(Loop& loop, Inbox& inbox) {
  CHECK(loop_ == nullptr, "a driver is started once");
  loop_ = &loop;
  inbox_ = &inbox;
  reopen_ = loop.AddTimer([this] { Open(); });
  flush_ = loop.AddTimer([this] { OnFlush(); });
  Open();
  return {};
}

void SerialDriver::Stop() {
  if (loop_ == nullptr) return;
  reopen_.reset();
  flush_.reset();
  Disconnect();
  if (held_.has_value()) Drop(kStopped);
  if (codec_->Flush().has_value()) Drop(kStopped);
  held_.reset();
  while (framer_.Next().has_value()) Drop(kStopped);
  last_error_ = "stopped";
  loop_ = nullptr;
}

void SerialDriver::Settled(Ticket last) {
  CHECK(last <= accepted_, "only accepted tickets are settled");
  settled_ = std::max(settled_, last);
}

void SerialDriver::Open() {
  if (Status status = stream_->Open(); !status) {
    Lost(status.error());
    return;
  }
  connected_ = true;
  errors_counted_ = {};
  counters_.opened.Increment();
  log_.Info("input {}: {} is open, {}", options_.input.name, options_.device,
            stream_->Description());
  watch_ = loop_->WatchFd(stream_->fd(), [this](Ready ready) { OnReady(ready); });
  if (paused()) watch_->Want(false, false);
}

void SerialDriver::OnReady(Ready ready) {
  // Without room nothing can be read, but a hang-up is reported again and again until the device is
  // closed.
  if (paused()) {
    if (ready.hung_up) Lost({ErrorCode::kUnavailable, "read " + options_.device + ": hung up"});
    return;
  }
  ReadSome();
}

void SerialDriver::ReadSome() {
  std::array<char, kReadBytes> buffer;
  for (int reads = 0; reads < kReadsPerTurn && !paused(); ++reads) {
    const Result<size_t> count = stream_->Read(buffer);
    if (!count) {
      Lost(count.error());
      return;
    }
    if (*count == 0) break;
    backoff_.Reset();
    framer_.Feed(std::string_view(buffer.data(), *count));
    Drain();
  }
  CountLineErrors();
}

void SerialDriver::Drain() {
  while (!paused()) {
    const std::optional<std::string_view> line = framer_.Next();
    if (!line.has_value()) break;
    std::optional<std::string> payload = codec_->Add(*line);
    ArmFlush(payload.has_value());
    if (payload.has_value()) Handle(std::move(*payload));
  }
  CountFaults();
}

void SerialDriver::Handle(std::string payload) {
  CHECK(!paused(), "one payload is held at most");
  if (Offer(payload)) return;
  held_ = std::move(payload);
  if (watch_ != nullptr) watch_->Want(false, false);
}

bool SerialDriver::Offer(const std::string& payload) {
  const Message message{.payload = payload,
                        .tenant = {},
                        .asset = {},
                        .origin = options_.device,
                        .packet_id = std::nullopt};
  if (!inbox_->Offer(message, accepted_ + 1)) return false;
  ++accepted_;
  return true;
}

void SerialDriver::Resume() {
  if (loop_ == nullptr || !paused()) return;
  if (!Offer(*held_)) return;
  held_.reset();
  Drain();
  if (!paused() && watch_ != nullptr) watch_->Want(true, false);
}

void SerialDriver::ArmFlush(bool epoch_ended) {
  const std::optional<std::chrono::milliseconds> patience = codec_->patience();
  if (patience.has_value() && (epoch_ended || !flush_->armed())) flush_->After(*patience);
}

void SerialDriver::OnFlush() {
  // The other sentence may be in the bytes that were read after the payload that is held.
  if (paused()) {
    ArmFlush(true);
    return;
  }
  if (std::optional<std::string> payload = codec_->Flush()) Handle(std::move(*payload));
}

void SerialDriver::Lost(const Error& error) {
  CountLineErrors();
  Disconnect();
  last_error_ = error.message;
  if (const auto times = lost_log_.Count(clock_.SinceBoot())) {
    log_.Warning("input {}: {} ({} times), trying again", options_.input.name, error.message,
                 *times);
  }
  reopen_->After(backoff_.Next());
}

void SerialDriver::Disconnect() {
  watch_.reset();
  stream_->Close();
  connected_ = false;
  // Whole lines that wait for room stay; the rest of the last one will never come.
  if (framer_.DropUnfinished()) Drop(kTorn);
}

void SerialDriver::Drop(Reason reason, uint64_t lines) {
  if (lines == 0) return;
  dropped_ += lines;
  counters_.dropped[reason]->Increment(static_cast<double>(lines));
  if (const auto due = drop_log_.Count(clock_.SinceBoot(), lines)) {
    log_.Warning("input {}: {} lines of {} were no use and dropped", options_.input.name, *due,
                 options_.device);
  }
}

void SerialDriver::CountFaults() {
  const LineFaults& faults = codec_->faults();
  Drop(kTooLong, framer_.overlong() - overlong_counted_);
  overlong_counted_ = framer_.overlong();
  Drop(kChecksum, faults.checksum - faults_counted_.checksum);
  Drop(kMalformed, faults.malformed - faults_counted_.malformed);
  Add(counters_.no_fix, faults.no_fix, faults_counted_.no_fix);
  faults_counted_ = faults;
}

void SerialDriver::CountLineErrors() {
  if (!connected_) return;
  const LineErrors errors = stream_->errors();
  Add(counters_.overruns, errors.overruns, errors_counted_.overruns);
  Add(counters_.garbled, errors.garbled, errors_counted_.garbled);
}

DriverStatus SerialDriver::status() const {
  if (!connected_) return {.connected = false, .detail = last_error_};
  std::string detail = fmt::format("open, {}", stream_->Description());
  if (dropped_ > 0) detail += fmt::format(", {} lines dropped", dropped_);
  if (paused()) detail += ", waiting for room";
  return {.connected = true, .detail = std::move(detail)};
}

}  // namespace tidegate
