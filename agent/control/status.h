// What an agent says of itself, as JSON for programs and as text for people. Pure.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/record.h"
#include "core/result.h"
#include "store/store.h"
#include "uplink/gate/send_gate.h"

namespace tidegate {

struct StatusReport {
  struct InputPart {
    std::string name;
    bool connected = false;
    std::string detail;
    uint64_t received = 0;
    uint64_t settled = 0;
    uint64_t refused = 0;
    uint64_t redelivered = 0;  // Stored already when it came again.
  };
  struct UplinkPart {
    bool configured = false;
    bool connected = false;
    std::string detail;
    uint64_t in_flight = 0;
    uint64_t acked = 0;
    uint64_t rejected = 0;
    uint64_t retried = 0;
    SendGateStatus gate{};
  };

  std::string gateway_id;
  std::string version;
  std::string epoch;
  std::chrono::seconds uptime{0};
  WallTime now{};
  bool clock_synced = false;
  // By how much the first synchronisation of this boot moved the clock; nullopt: not seen.
  std::optional<std::chrono::milliseconds> clock_correction;
  StoreUsage store;
  std::string store_error;     // Why the store does not open yet; empty once it is open.
  bool store_blocked = false;  // The last commit failed: what is in memory is not acknowledged.
  std::vector<InputPart> inputs;
  UplinkPart uplink;
  uint64_t alerts_raised = 0;  // Raised and not cleared.
  std::string http;            // address:port, empty if off.
};

// One line. The member names are part of the outer contract.
std::string StatusJson(const StatusReport& report);
// Some lines for a terminal, made from StatusJson's text (the program that prints it talks to the
// agent through the socket).
Result<std::string> StatusText(std::string_view status_json);
// For systemd's STATUS=: "12,345 records behind, oldest 3h; inputs 1/1; uplink connected", or
// "WAITS FOR THE STORE: " and why.
std::string StatusLine(const StatusReport& report);

}  // namespace tidegate
