// The notes of drivers in memory. A test may look at them, and make reading or writing fail.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "drivers/driver_notes.h"

namespace tidegate {

class MemoryNotes final : public DriverNotes {
 public:
  Result<std::optional<std::string>> Read(const std::string& name) override {
    if (broken) return Error{ErrorCode::kUnavailable, "read " + name + ": disk I/O error"};
    const auto found = texts.find(name);
    return found == texts.end() ? std::nullopt : std::optional(found->second);
  }
  Status Write(const std::string& name, const std::string& text) override {
    if (broken) return Error{ErrorCode::kUnavailable, "write " + name + ": disk I/O error"};
    texts[name] = text;
    ++writes;
    return {};
  }

  bool broken = false;
  int writes = 0;
  std::map<std::string, std::string> texts;
};

}  // namespace tidegate
