// Reads lines from a serial device, makes payloads of them and offers those. Opens the device again
// whenever it comes back. Loop thread only.
//
// Known loss: a serial line can neither be acknowledged nor asked to send again. While the inbox
// has no room, one payload and the bytes read with it are kept here and reading stops; what then
// overflows in the kernel's buffer is lost, and counted as far as the hardware counts it.
//
// Invariants, checked in serial_driver.cc: settled <= accepted tickets (Settled()); at most one
// payload is held, and nothing is read or framed meanwhile (Handle(), ReadSome()).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/backoff.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/metrics.h"
#include "drivers/driver.h"
#include "drivers/serial/byte_stream.h"
#include "drivers/serial/line_codec.h"
#include "drivers/serial/line_framer.h"
#include "drivers/serial/serial_options.h"

namespace tidegate {

class SerialDriver final : public Driver {
 public:
  // `stream` is the device that `options` names, not open yet. `seed` spreads the attempts to
  // reopen it. The references outlive the driver.
  SerialDriver(SerialOptions options, std::unique_ptr<ByteStream> stream, const Clock& clock,
               const Log& log, Metrics& metrics, uint64_t seed);
  ~SerialDriver() override;

  // A device that is missing is no error; it is opened when it appears.
  Status Start(Loop& loop, Inbox& inbox) override;
  // Closes the device, since there is nothing to acknowledge. What waits for room is dropped and
  // counted.
  void Stop() override;
  void Settled(Ticket last) override;
  void Resume() override;
  bool Starved() const override { return false; }
  DriverStatus status() const override;

  Ticket settled() const { return settled_; }

 private:
  // Why a line, or the rest of one, was dropped.
  enum Reason : size_t { kTooLong, kChecksum, kMalformed, kTorn, kStopped, kReasonCount };

  struct Counters {
    Counters(Metrics& metrics, const std::string& input);

    std::array<Metrics::Counter*, kReasonCount> dropped;
    Metrics::Counter& opened;
    Metrics::Counter& overruns;
    Metrics::Counter& garbled;
    Metrics::Counter& no_fix;
  };

  void Open();
  void OnReady(Ready ready);
  void ReadSome();
  // Offers the payloads of the lines that are whole, until there is no room.
  void Drain();
  void Handle(std::string payload);
  bool Offer(const std::string& payload);
  void ArmFlush(bool epoch_ended);
  void OnFlush();
  void Lost(const Error& error);
  void Disconnect();
  void Drop(Reason reason, uint64_t lines = 1);
  void CountFaults();
  void CountLineErrors();
  bool paused() const { return held_.has_value(); }

  const SerialOptions options_;
  const Clock& clock_;
  const Log& log_;
  Counters counters_;
  LogLimit drop_log_;
  LogLimit lost_log_;
  Backoff backoff_;
  // From Start() to Stop().
  Loop* loop_ = nullptr;
  Inbox* inbox_ = nullptr;

  std::unique_ptr<ByteStream> stream_;
  LineFramer framer_;
  std::unique_ptr<LineCodec> codec_;
  // A payload that the inbox had no room for.
  std::optional<std::string> held_;
  uint64_t overlong_counted_ = 0;
  LineFaults faults_counted_;
  LineErrors errors_counted_;
  uint64_t dropped_ = 0;
  Ticket accepted_ = 0;
  Ticket settled_ = 0;
  bool connected_ = false;
  std::string last_error_ = "not started";

  // Last, so that no callback outlives the members that it uses.
  std::unique_ptr<Timer> reopen_;
  std::unique_ptr<Timer> flush_;
  std::unique_ptr<FdWatch> watch_;
};

}  // namespace tidegate
