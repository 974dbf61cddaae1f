// A device of which a test says what it sends, and when it is there. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "drivers/serial/byte_stream.h"

namespace tidegate {

// The device outlives the streams on it.
struct ScriptedDevice {
  static constexpr int kFd = 7;  // No real descriptor; for ManualLoop.

  // As on a real line, what nobody listens to is lost.
  void Send(std::string_view bytes) {
    if (open) unread += bytes;
  }
  void Unplug() { present = false; }
  void Plug() { present = true; }

  bool present = true;
  bool open = false;
  int opens = 0;
  std::string unread;
  LineErrors errors;
  std::string description = "9600 8N1";
};

class ScriptedStream final : public ByteStream {
 public:
  explicit ScriptedStream(ScriptedDevice& device) : device_(device) {}
  ~ScriptedStream() override { Close(); }

  Status Open() override;
  void Close() override;
  int fd() const override { return open_ ? ScriptedDevice::kFd : -1; }
  Result<size_t> Read(std::span<char> buffer) override;
  LineErrors errors() const override { return device_.errors; }
  std::string Description() const override { return device_.description; }

 private:
  ScriptedDevice& device_;
  bool open_ = false;
};

}  // namespace tidegate
