#include "agent/pipeline/fold_state.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/check.h"
#include "core/record.h"
#include "core/varint.h"

namespace tidegate {

namespace {

using std::chrono::milliseconds;

constexpr uint8_t kVersion = 1;
constexpr size_t kMaxKeyBytes = kMaxTenantBytes + 1 + kMaxAssetBytes;
// Flags of a state.
constexpr uint8_t kRaised = 1;
constexpr uint8_t kMet = 2;
constexpr uint8_t kMetByGateway = 4;

void PutSigned(std::string& out, int64_t value) {
  PutVarint(out, ZigZag(value));
}

template <typename Integer>
void PutFixed(std::string& out, Integer value) {
  for (size_t i = 0; i < sizeof value; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

// Both wrap around, so that any two values have a difference.
int64_t Minus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
int64_t Plus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

int64_t Count(WallTime time) {
  return time.time_since_epoch().count();
}

void PutAsset(std::string& out, const Asset& previous, const Asset& asset, size_t rules) {
  const auto differs = std::ranges::mismatch(previous.key, asset.key).in2;
  const auto shared = static_cast<size_t>(differs - asset.key.begin());
  PutVarint(out, shared);
  PutString(out, std::string_view(asset.key).substr(shared));
  PutSigned(out, Minus(Count(asset.time), Count(previous.time)));
  PutSigned(out, Minus(asset.arrival.count(), previous.arrival.count()));
  PutVarint(out, asset.states.size());
  for (const auto& [rule, state] : asset.states) {
    CHECK(rule < rules, "a state names a rule of the snapshot");
    PutVarint(out, rule);
    uint8_t flags = state.raised ? kRaised : 0;
    if (state.met_since) flags |= kMet;
    if (state.met_since && state.met_since->axis == TimeSource::kGateway) flags |= kMetByGateway;
    out.push_back(static_cast<char>(flags));
    PutSigned(out, Minus(Count(state.raised_at), Count(asset.time)));
    if (state.met_since) PutSigned(out, state.met_since->at.count());
  }
}

// Decodes what the functions above and EncodeFoldState wrote. Every method fails at the first byte
// that they cannot have written, and Read() with it.
class StateReader {
 public:
  explicit StateReader(std::string_view bytes) : bytes_(bytes) {}

  Result<FoldState> Read() {
    const auto version = bytes_.Byte();
    if (!version) return Damaged();
    if (*version > kVersion) {
      return Error{ErrorCode::kInvalid,
                   fmt::format("snapshot of version {}; this is version {}", *version, kVersion)};
    }
    const bool whole = *version == kVersion && Text(state_.boot_id) &&
                       List(state_.rules, &StateReader::ReadRule) &&
                       List(state_.assets, &StateReader::ReadAsset) &&
                       List(state_.inputs, &StateReader::ReadInput) && bytes_.left() == 0;
    if (!whole) return Damaged();
    return std::move(state_);
  }

 private:
  Error Damaged() const {
    return {ErrorCode::kCorrupt, fmt::format("snapshot: damaged at byte {}", bytes_.offset())};
  }

  bool Text(std::string& out) {
    const auto text = bytes_.String();
    if (text) out = *text;
    return text.has_value();
  }
  template <typename Number>
  bool Unsigned(Number& out) {
    const auto number = bytes_.Varint();
    if (!number || !std::in_range<Number>(*number)) return false;
    out = static_cast<Number>(*number);
    return true;
  }
  bool Signed(int64_t& out) {
    const auto number = bytes_.Varint();
    if (number) out = UnZigZag(*number);
    return number.has_value();
  }
  template <typename Integer>
  bool Fixed(Integer& out) {
    const auto bytes = bytes_.Bytes(sizeof out);
    if (!bytes) return false;
    out = 0;
    for (size_t i = 0; i < sizeof out; ++i)
      out |= static_cast<Integer>(static_cast<uint8_t>((*bytes)[i])) << (8 * i);
    return true;
  }
  // Each element has at least one byte, so a count cannot ask for more memory than the input has.
  template <typename Element>
  bool List(std::vector<Element>& out, bool (StateReader::*read)(Element&)) {
    const auto count = bytes_.Varint();
    if (!count || *count > bytes_.left()) return false;
    for (uint64_t i = 0; i < *count; ++i) {
      if (!(this->*read)(out.emplace_back())) return false;
    }
    return true;
  }

  bool ReadRule(RuleIdentity& rule) { return Text(rule.name) && Fixed(rule.definition); }

  bool ReadAsset(Asset& asset) {
    uint64_t shared = 0;
    int64_t time = 0;
    int64_t arrival = 0;
    std::string rest;
    if (!Unsigned(shared) || shared > key_.size() || !Text(rest)) return false;
    key_.resize(shared);
    key_ += rest;
    if (key_.size() > kMaxKeyBytes || !Signed(time) || !Signed(arrival)) return false;
    asset.key = key_;
    asset.time = WallTime(milliseconds(time_ = Plus(time_, time)));
    asset.arrival = milliseconds(arrival_ = Plus(arrival_, arrival));
    return List(asset.states, &StateReader::ReadState);
  }

  bool ReadState(RuleStateOfAsset& of_asset) {
    int64_t raised_at = 0;
    int64_t met_since = 0;
    if (!Unsigned(of_asset.rule) || of_asset.rule >= state_.rules.size()) return false;
    const auto flags = bytes_.Byte();
    if (!flags || *flags > (kRaised | kMet | kMetByGateway) || !Signed(raised_at)) return false;
    of_asset.state.raised = (*flags & kRaised) != 0;
    of_asset.state.raised_at = WallTime(milliseconds(Plus(raised_at, time_)));
    if ((*flags & kMet) == 0) return (*flags & kMetByGateway) == 0;
    const bool by_gateway = (*flags & kMetByGateway) != 0;
    if (!Signed(met_since)) return false;
    of_asset.state.met_since =
        Moment{by_gateway ? TimeSource::kGateway : TimeSource::kSource, milliseconds(met_since)};
    return true;
  }

  bool ReadInput(InputReceipts& input) {
    packet_id_ = 0;
    return Text(input.input) && Unsigned(input.since_reuse) &&
           List(input.receipts, &StateReader::ReadReceipt);
  }

  bool ReadReceipt(Receipt& receipt) {
    int64_t step = 0;
    if (!Signed(step) || !Fixed(receipt.fingerprint)) return false;
    packet_id_ = Plus(packet_id_, step);
    receipt.packet_id = static_cast<uint16_t>(packet_id_);
    return std::in_range<uint16_t>(packet_id_);
  }

  ByteReader bytes_;
  FoldState state_;
  // Values of the previous element; the next one is stored as a difference to them.
  std::string key_;
  int64_t time_ = 0;
  int64_t arrival_ = 0;
  int64_t packet_id_ = 0;
};

}  // namespace

uint64_t RuleDefinition(const Rule& rule) {
  std::string text;
  PutString(text, rule.field);
  PutVarint(text, static_cast<uint64_t>(rule.op));
  PutVarint(text, rule.value.index());
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::string>) {
          PutString(text, value);
        } else {
          PutString(text, fmt::format("{}", value));
        }
      },
      rule.value);
  PutString(text, rule.clear ? fmt::format("{}", *rule.clear) : "");
  PutSigned(text, rule.hold.count());
  PutString(text, rule.tenant);
  PutString(text, rule.asset);
  return XXH64(text.data(), text.size(), 0);
}

std::string EncodeFoldState(const FoldState& state) {
  std::string out(1, static_cast<char>(kVersion));
  PutString(out, state.boot_id);
  PutVarint(out, state.rules.size());
  for (const auto& [name, definition] : state.rules) {
    PutString(out, name);
    PutFixed(out, definition);
  }
  PutVarint(out, state.assets.size());
  const Asset none;
  const Asset* previous = &none;
  for (const Asset& asset : state.assets)
    PutAsset(out, *std::exchange(previous, &asset), asset, state.rules.size());
  PutVarint(out, state.inputs.size());
  for (const InputReceipts& input : state.inputs) {
    PutString(out, input.input);
    PutVarint(out, input.since_reuse);
    PutVarint(out, input.receipts.size());
    int packet_id = 0;
    for (const Receipt& receipt : input.receipts) {
      PutSigned(out, receipt.packet_id - std::exchange(packet_id, receipt.packet_id));
      PutFixed(out, receipt.fingerprint);
    }
  }
  return out;
}

Result<FoldState> DecodeFoldState(std::string_view bytes) {
  return StateReader(bytes).Read();
}

}  // namespace tidegate
