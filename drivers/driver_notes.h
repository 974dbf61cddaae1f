// What a driver has to remember over a restart: small texts by name. The agent keeps them in the
// store; tests keep them in memory. Loop thread only.
#pragma once

#include <optional>
#include <string>

#include "core/result.h"

namespace tidegate {

class DriverNotes {
 public:
  virtual ~DriverNotes() = default;
  // nullopt: there is none of that name, also because the store is another one than it was.
  virtual Result<std::optional<std::string>> Read(const std::string& name) = 0;
  // Replaces the text. After OK it survives power loss. Costs a transaction, so it should be rare.
  virtual Status Write(const std::string& name, const std::string& text) = 0;
};

}  // namespace tidegate
