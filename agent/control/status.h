// Writes the state of an agent as JSON for programs and as text for people. Pure.
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

// What the agent knows of itself at one moment. Counts are since the agent started, unless said
// otherwise.
struct StatusReport {
  struct InputPart {
    // The <NAME> of TIDEGATE_INPUT_<NAME>.
    std::string name;
    bool connected = false;
    // The driver's state in words.
    std::string detail;
    // Messages that the driver offered.
    uint64_t received = 0;
    // Messages that are settled: durable in the store or set aside in the dead letters.
    uint64_t settled = 0;
    // Records, or whole messages, that were set aside in the dead letters.
    uint64_t refused = 0;
    // Messages that were already stored when they arrived again.
    uint64_t redelivered = 0;
  };
  struct UplinkPart {
    // False: no bootstrap servers are set.
    bool configured = false;
    bool connected = false;
    // The connection's state in words.
    std::string detail;
    // Records that were sent and have no delivery report yet.
    uint64_t in_flight = 0;
    uint64_t acked = 0;
    // Records that the broker refused for good.
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
  // By how much the first synchronisation of this boot moved the clock; nullopt: not observed.
  std::optional<std::chrono::milliseconds> clock_correction;
  StoreUsage store;
  // Why the store does not open; empty once it is open.
  std::string store_error;
  // The last commit failed: the messages in memory are not acknowledged.
  bool store_blocked = false;
  std::vector<InputPart> inputs;
  UplinkPart uplink;
  // Alerts that are raised and not cleared.
  uint64_t alerts_raised = 0;
  // The HTTP listener's address:port; empty if it is off.
  std::string http;
  // Why an end at which the agent listens is not open, for people.
  std::vector<std::string> not_listening;
};

// Returns one line without a newline. The names and the order of its members are part of the outer
// contract.
std::string StatusJson(const StatusReport& report);
// Returns some lines for a terminal, made from the text of StatusJson(), which may come from an
// agent of another version: members that are missing read as zero or empty. kRejected: no JSON.
Result<std::string> StatusText(std::string_view status_json);
// Returns the text for systemd's STATUS=, for example "12345 records behind, oldest 3h; inputs 1/1
// connected; uplink connected", or "WAITS FOR THE STORE: " and why.
std::string StatusLine(const StatusReport& report);

}  // namespace tidegate
