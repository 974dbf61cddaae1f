// What the pipeline knows besides the records themselves, as plain values, and their bytes: the
// body of the store's snapshot. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/rules/rules.h"

namespace tidegate {

// A rule's state for one asset, if it is not the state it begins in.
struct RuleStateOfAsset {
  uint32_t rule = 0;  // Index into the rules beside it.
  RuleState state;
  friend bool operator==(const RuleStateOfAsset&, const RuleStateOfAsset&) = default;
};

struct Asset {
  std::string key;  // "tenant/asset", each as it is: a tenant's name has no '/'.
  WallTime time{};  // Of its last record.
  // When that came, since boot, to within a commit. 0: before this boot.
  std::chrono::milliseconds arrival{0};
  std::vector<RuleStateOfAsset> states;
  friend bool operator==(const Asset&, const Asset&) = default;
};

// By its text, because the order of rules is no part of the configuration.
struct RuleIdentity {
  std::string name;
  uint64_t definition = 0;  // RuleDefinition().
  friend bool operator==(const RuleIdentity&, const RuleIdentity&) = default;
};

// A message of a source that may send it again; receipts.h.
struct Receipt {
  uint16_t packet_id = 0;
  uint32_t fingerprint = 0;
  friend bool operator==(const Receipt&, const Receipt&) = default;
};

struct InputReceipts {
  std::string input;
  uint32_t since_reuse = 0;       // Messages since a packet id came twice; receipts.h.
  std::vector<Receipt> receipts;  // In the order of arrival.
  friend bool operator==(const InputReceipts&, const InputReceipts&) = default;
};

struct FoldState {
  std::string boot_id;  // That arrivals, and moments on the gateway's axis, count from.
  std::vector<RuleIdentity> rules;
  std::vector<Asset> assets;  // The one seen longest ago first.
  std::vector<InputReceipts> inputs;
  friend bool operator==(const FoldState&, const FoldState&) = default;
};

// Changes with everything that decides when the rule raises and clears, and with nothing else.
uint64_t RuleDefinition(const Rule& rule);

// Layout: agent/README.md, "Snapshot".
std::string EncodeFoldState(const FoldState& state);
// kCorrupt: not what EncodeFoldState made. kInvalid: made by a newer version.
Result<FoldState> DecodeFoldState(std::string_view bytes);

}  // namespace tidegate
