// The pipeline's state as plain values, and its encoding: the body of the store's snapshot. Pure;
// any thread.
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

// A rule's state for one asset, if it differs from the initial one.
struct RuleStateOfAsset {
  // Index into FoldState::rules.
  uint32_t rule = 0;
  RuleState state;
  friend bool operator==(const RuleStateOfAsset&, const RuleStateOfAsset&) = default;
};

struct Asset {
  // "tenant/asset", neither of them escaped: a tenant's name has no '/'.
  std::string key;
  // The time of its last record.
  WallTime time{};
  // When that record arrived, since boot, to within a commit; 0: before this boot.
  std::chrono::milliseconds arrival{0};
  std::vector<RuleStateOfAsset> states;
  friend bool operator==(const Asset&, const Asset&) = default;
};

// A rule is known by its text, because the order of rules is no part of the configuration.
struct RuleIdentity {
  std::string name;
  // RuleDefinition() of the rule.
  uint64_t definition = 0;
  friend bool operator==(const RuleIdentity&, const RuleIdentity&) = default;
};

// A message whose source may send it again; receipts.h.
struct Receipt {
  uint16_t packet_id = 0;
  // Four of eight bytes suffice: they decide only between messages with one packet id.
  uint32_t fingerprint = 0;
  friend bool operator==(const Receipt&, const Receipt&) = default;
};

struct InputReceipts {
  std::string input;
  // Messages since a packet id was reused; receipts.h.
  uint32_t since_reuse = 0;
  // In the order of arrival.
  std::vector<Receipt> receipts;
  friend bool operator==(const InputReceipts&, const InputReceipts&) = default;
};

struct FoldState {
  // The boot that arrivals, and moments on the gateway's axis, count from.
  std::string boot_id;
  std::vector<RuleIdentity> rules;
  // First those without a rule's state, then the others; each the one silent for longest first.
  std::vector<Asset> assets;
  std::vector<InputReceipts> inputs;
  friend bool operator==(const FoldState&, const FoldState&) = default;
};

// A hash of everything that decides when the rule raises and clears, and of nothing else.
uint64_t RuleDefinition(const Rule& rule);

// Layout: agent/README.md, "Snapshot". REQUIRES: the index of each rule's state is within
// `state.rules`.
std::string EncodeFoldState(const FoldState& state);
// Returns only states that fulfil what EncodeFoldState requires. kCorrupt: the bytes are not what
// EncodeFoldState wrote. kInvalid: a newer version wrote them.
Result<FoldState> DecodeFoldState(std::string_view bytes);

}  // namespace tidegate
