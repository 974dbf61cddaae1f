// A terminal device as a ByteStream: raw, non-blocking, and opened exclusively. Ignores the modem
// lines (carrier, CTS), which many cables do not have. One thread.
#pragma once

#include <string>

#include "core/unique_fd.h"
#include "drivers/serial/byte_stream.h"
#include "drivers/serial/serial_options.h"

namespace tidegate {

class TermiosStream final : public ByteStream {
 public:
  // REQUIRES: IsBaudRate(format.baud).
  TermiosStream(std::string device, LineFormat format);

  Status Open() override;
  void Close() override { fd_ = UniqueFd(); }
  int fd() const override { return fd_.get(); }
  Result<size_t> Read(std::span<char> buffer) override;
  LineErrors errors() const override;
  // Also names the settings that the device refused: a pseudo-terminal has neither parity nor 7
  // bits.
  std::string Description() const override { return description_; }

 private:
  Status Configure();
  LineErrors ReadCounters() const;

  const std::string device_;
  const LineFormat format_;
  UniqueFd fd_;
  std::string description_;
  // The counts at Open(): the kernel counts from when the device appeared.
  LineErrors before_open_;
};

}  // namespace tidegate
