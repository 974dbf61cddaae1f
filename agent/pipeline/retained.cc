#include "agent/pipeline/retained.h"

#include <xxhash.h>

#include "core/check.h"
#include "core/retained_input.h"

namespace tidegate {
namespace {

uint64_t KeyOf(uint64_t kind, std::string_view topic) {
  return XXH64(topic.data(), topic.size(), kind);
}

// Never 0, which means that nothing is known.
uint32_t MarkOf(uint64_t key, uint64_t content) {
  return static_cast<uint32_t>(XXH64(&content, sizeof content, key)) | 1U;
}

}  // namespace

std::string RetainedInputName(std::string_view input) {
  return std::string(input).append(kRetainedSuffix);
}

bool IsRetainedInput(std::string_view name) {
  return name.ends_with(kRetainedSuffix);
}

std::string_view InputOfRetained(std::string_view name) {
  CHECK(IsRetainedInput(name), "the name is that of an input's retained messages");
  return name.substr(0, name.size() - kRetainedSuffix.size());
}

uint32_t& RetainedReceipts::Place(uint64_t key) {
  if (places_.empty()) places_.resize(kPlaces);
  return places_[key % kPlaces];
}

bool RetainedReceipts::Holds(Kind kind, std::string_view topic, uint64_t content) {
  const uint64_t key = KeyOf(static_cast<uint64_t>(kind), topic);
  return Place(key) == MarkOf(key, content);
}

void RetainedReceipts::Put(Kind kind, std::string_view topic, uint64_t content) {
  const uint64_t key = KeyOf(static_cast<uint64_t>(kind), topic);
  Place(key) = MarkOf(key, content);
}

bool RetainedReceipts::Recognise(std::string_view topic, uint64_t content) {
  active_ = true;
  const bool known = Holds(Kind::kRetained, topic, content) || Holds(Kind::kLast, topic, content);
  Put(Kind::kRetained, topic, content);
  return known;
}

void RetainedReceipts::Add(std::string_view topic, uint64_t content) {
  Put(Kind::kLast, topic, content);
}

void RetainedReceipts::Save(InputReceipts& saved) const {
  if (!active_) return;
  for (size_t i = 0; i < places_.size(); ++i) {
    if (places_[i] != 0) saved.receipts.push_back({static_cast<uint16_t>(i), places_[i]});
  }
}

void RetainedReceipts::Load(const InputReceipts& saved) {
  *this = RetainedReceipts();
  for (const Receipt& receipt : saved.receipts) {
    active_ = true;
    if (receipt.packet_id < kPlaces) Place(receipt.packet_id) = receipt.fingerprint;
  }
}

}  // namespace tidegate
