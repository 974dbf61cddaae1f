// A source of bytes that may go away and come back: a serial device in production, a script in
// tests. No call here waits. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/result.h"

namespace tidegate {

// What the hardware and the kernel's driver lost since Open(). All zero where the device does not
// count.
struct LineErrors {
  uint64_t overruns =
      0;  // Bytes lost because nobody took them in time, in the chip or in the kernel's buffer.
  uint64_t garbled = 0;  // Framing and parity errors: wrong settings, or noise.
};

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Opens what is there now; a stream that is open is closed first. kUnavailable: not there, in use
  // or not permitted; try again.
  virtual Status Open() = 0;
  // Ends nothing that is not open.
  virtual void Close() = 0;
  // Becomes readable when bytes have come or the stream has ended; -1 when closed. Remains the
  // stream's.
  virtual int fd() const = 0;
  // Puts what is there, up to the buffer's size, at its beginning: how many bytes, 0 if there is
  // nothing now. kUnavailable: the other side is gone; close and open again. REQUIRES: open, and a
  // buffer that is not empty.
  virtual Result<size_t> Read(std::span<char> buffer) = 0;
  virtual LineErrors errors() const = 0;
  // What the open stream really is, for people: "9600 8N1".
  virtual std::string Description() const = 0;
};

}  // namespace tidegate
