// Every driver by its URI scheme. Adding one is one line in registry.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/credentials.h"
#include "core/log.h"
#include "core/metrics.h"
#include "drivers/driver.h"
#include "drivers/uri.h"

namespace tidegate {

struct InputConfig {
  Input input;
  Uri uri;
};

// What drivers are built from; all of it outlives them.
struct DriverContext {
  const Clock& clock;
  const Log& log;
  Metrics& metrics;
  const Credentials& credentials;
  std::string gateway_id;
  uint64_t seed;  // Of jitter.
};

// The tags that every driver's URI may carry: ?tenant= ?asset= ?kind=. kInvalid: what is wrong with
// them.
Result<Input> ParseInput(const std::string& name, const Uri& uri);

// kInvalid: an unknown scheme (naming the known ones), or whatever is wrong in the URI. Connects
// nothing.
Status CheckInput(const InputConfig& config, const Credentials& credentials,
                  const std::string& gateway_id);
// What is allowed but not advisable, for `check`; empty if nothing. REQUIRES: CheckInput() is OK.
std::string InputWarning(const InputConfig& config, const Credentials& credentials,
                         const std::string& gateway_id);
Result<std::unique_ptr<Driver>> MakeDriver(const InputConfig& config, const DriverContext& context);

}  // namespace tidegate
