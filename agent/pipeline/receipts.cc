#include "agent/pipeline/receipts.h"

#include <algorithm>

#include "core/check.h"
#include "core/reached.h"

namespace tidegate {

void Receipts::OnSession(bool resumed, Ticket acknowledged) {
  waiting_.clear();
  new_since_resume_ = 0;
  if (!resumed) {
    entries_.clear();
    ids_.reset();
    return;
  }
  // If two have one id, the broker can only mean the younger one.
  std::bitset<65'536> seen;
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (seen.test(entry->receipt.packet_id)) continue;
    seen.set(entry->receipt.packet_id);
    waiting_.push_back({entry->receipt, entry->ticket > acknowledged, entry->content});
  }
  CHECK(waiting_.size() <= kWindow, "expected receipts are bounded");
}

void Receipts::OnCaughtUp() {
  std::erase_if(waiting_, [](const Waiting& waiting) { return !waiting.certain; });
}

Receipts::Entry Receipts::EntryOf(const Arrived& message) {
  const Receipt receipt{message.packet_id, static_cast<uint32_t>(message.fingerprint)};
  return {receipt, message.ticket, message.fingerprint};
}

bool Receipts::Matches(const Waiting& waiting, const Arrived& message) const {
  if (waiting.receipt.fingerprint != static_cast<uint32_t>(message.fingerprint)) return false;
  return waiting.certain || message.same_record || since_reuse_ >= kReuseMemory;
}

// By id and content; before the first new message also by content alone.
Receipts::Expected Receipts::Find(const Arrived& message) {
  const auto same_id = std::ranges::find(waiting_, message.packet_id, [](const Waiting& waiting) {
    return waiting.receipt.packet_id;
  });
  if (same_id != waiting_.end() && Matches(*same_id, message)) return same_id;
  if (new_since_resume_ > 0) return waiting_.end();
  return std::ranges::find_if(waiting_, [&](const Waiting& waiting) {
    return (waiting.certain || message.same_record) && waiting.content == message.fingerprint;
  });
}

bool Receipts::Redelivered(const Arrived& message) {
  const auto expected = Find(message);
  if (expected == waiting_.end()) {
    if (message.refused) {
      REACHED("receipts: a refused message among redelivered ones");
    } else {
      OnNew(message);
    }
    return false;
  }
  const uint16_t old_id = expected->receipt.packet_id;
  if (old_id != message.packet_id) REACHED("receipts: known under another id");
  if (expected->certain) REACHED("receipts: a redelivery of what is certainly not acknowledged");
  waiting_.erase(expected);
  std::erase_if(entries_,
                [old_id](const Entry& entry) { return entry.receipt.packet_id == old_id; });
  Remember(EntryOf(message));
  return true;
}

void Receipts::OnNew(const Arrived& message) {
  OnCaughtUp();
  const bool broker_reassigns_ids = std::ranges::any_of(waiting_, [&](const Waiting& waiting) {
    return waiting.receipt.packet_id == message.packet_id ||
           waiting.receipt.fingerprint == static_cast<uint32_t>(message.fingerprint);
  });
  if (!broker_reassigns_ids && ++new_since_resume_ <= kWindow) return;
  REACHED("receipts: the broker reassigns ids");
  waiting_.clear();
}

void Receipts::Add(const Arrived& message) {
  if (since_reuse_ < kReuseMemory) ++since_reuse_;
  if (ids_.test(message.packet_id)) since_reuse_ = 0;
  CHECK(since_reuse_ <= kReuseMemory, "the count since a reused id is bounded");
  Remember(EntryOf(message));
}

void Receipts::Remember(const Entry& entry) {
  CHECK(entries_.empty() || entries_.back().ticket <= entry.ticket,
        "receipts are kept in the order of their tickets");
  if (entries_.size() >= kWindow) {
    ids_.reset(entries_.front().receipt.packet_id);
    entries_.pop_front();
  }
  entries_.push_back(entry);
  ids_.set(entry.receipt.packet_id);
  CHECK(entries_.size() <= kWindow, "receipts are bounded");
}

void Receipts::Save(InputReceipts& saved) const {
  saved.since_reuse = since_reuse_;
  for (const Entry& entry : entries_) saved.receipts.push_back(entry.receipt);
}

void Receipts::Load(const InputReceipts& saved) {
  *this = Receipts();
  since_reuse_ = std::min(saved.since_reuse, kReuseMemory);
  for (const Receipt& receipt : saved.receipts) Remember({receipt, 0, std::nullopt});
}

}  // namespace tidegate
