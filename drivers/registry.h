// Makes drivers by the scheme of their URI. A new driver is one line in registry.cc. Loop thread
// only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/credentials.h"
#include "core/log.h"
#include "core/metrics.h"
#include "drivers/driver.h"
#include "drivers/driver_notes.h"
#include "drivers/uri.h"

namespace tidegate {

struct InputConfig {
  Input input;
  Uri uri;
};

// What drivers are built from. Everything in it outlives them.
struct DriverContext {
  const Clock& clock;
  const Log& log;
  Metrics& metrics;
  const Credentials& credentials;
  DriverNotes& notes;
  std::string gateway_id;
  // Spreads the waits before reconnecting.
  uint64_t seed;
};

// Reads the tags that every driver's URI may carry: ?tenant= ?asset= ?kind=. kInvalid: what is
// wrong with them.
Result<Input> ParseInput(const std::string& name, const Uri& uri);

// Checks an input without connecting anything. kInvalid: an unknown scheme (the message names the
// known ones), or everything that is wrong in the URI.
Status CheckInput(const InputConfig& config, const Credentials& credentials,
                  const std::string& gateway_id);
// Returns the names of the credentials that an input of that name may have.
std::vector<std::string> InputCredentialNames(const std::string& name);
// Returns what is allowed but not advisable, for `check`; empty if nothing. REQUIRES: CheckInput()
// is OK.
std::string InputWarning(const InputConfig& config, const Credentials& credentials,
                         const std::string& gateway_id);
// Returns a driver that is not started. Fails as CheckInput() does.
Result<std::unique_ptr<Driver>> MakeDriver(const InputConfig& config, const DriverContext& context);

}  // namespace tidegate
