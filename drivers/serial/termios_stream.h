// A terminal device as a ByteStream: raw, non-blocking, ours alone. Lines that are not wired
// (carrier, CTS) do not matter.
#pragma once

#include <string>
#include <utility>

#include "drivers/serial/byte_stream.h"
#include "drivers/serial/serial_options.h"

namespace tidegate {

class TermiosStream final : public ByteStream {
 public:
  // REQUIRES: IsBaudRate(format.baud).
  TermiosStream(std::string device, LineFormat format)
      : device_(std::move(device)), format_(format) {}
  ~TermiosStream() override { Close(); }
  TermiosStream(const TermiosStream&) = delete;
  TermiosStream& operator=(const TermiosStream&) = delete;

  Status Open() override;
  void Close() override;
  int fd() const override { return fd_; }
  Result<size_t> Read(std::span<char> buffer) override;
  LineErrors errors() const override;
  // Names what the device did not take of the settings: a pseudo-terminal has neither parity nor 7
  // bits.
  std::string Description() const override { return description_; }

 private:
  Status Configure();
  LineErrors ReadCounters() const;

  std::string device_;
  LineFormat format_;
  int fd_ = -1;
  std::string description_;
  LineErrors before_open_;  // The kernel counts since the device appeared.
};

}  // namespace tidegate
