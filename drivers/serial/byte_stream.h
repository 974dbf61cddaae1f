// A source of bytes that may disappear and come back: a serial device in production, a script in
// tests. No call here waits. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/result.h"

namespace tidegate {

// What the hardware and the kernel's driver have lost since Open(). All zero where the device does
// not count.
struct LineErrors {
  // Bytes lost in the chip or in the kernel's buffer, because they were not read in time.
  uint64_t overruns = 0;
  // Framing and parity errors: wrong settings, or noise.
  uint64_t garbled = 0;
};

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Opens the device, and closes it first if it is open. kUnavailable: the device is missing, in
  // use or not permitted; try again.
  virtual Status Open() = 0;
  // Does nothing if the stream is closed.
  virtual void Close() = 0;
  // The descriptor to watch: readable when bytes have arrived or the stream has ended. -1 when
  // closed. The stream keeps ownership.
  virtual int fd() const = 0;
  // Reads what has arrived, up to the buffer's size, and returns how many bytes; 0 if nothing has.
  // kUnavailable: the device has disappeared; close and open again. REQUIRES: the stream is open,
  // and the buffer is not empty.
  virtual Result<size_t> Read(std::span<char> buffer) = 0;
  virtual LineErrors errors() const = 0;
  // The settings that the open device really has, for people: "9600 8N1".
  virtual std::string Description() const = 0;
};

}  // namespace tidegate
