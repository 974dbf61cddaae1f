#include "store/transaction/gap_ledger.h"

#include <algorithm>

namespace tidegate {

void GapLedger::Add(const Gap& gap) {
  const auto [position, is_new] =
      entries_.try_emplace(Id{gap.tenant, gap.record_class, gap.reason});
  Entry& entry = position->second;
  if (is_new) {
    entry = {0, gap, true};
    ++changed_;
    return;
  }
  entry.gap.first_seq = std::min(entry.gap.first_seq, gap.first_seq);
  entry.gap.last_seq = std::max(entry.gap.last_seq, gap.last_seq);
  entry.gap.count += gap.count;
  if (!entry.changed) ++changed_;
  entry.changed = true;
}

Status GapLedger::StoreChanged(const std::function<Status(Entry&)>& store) {
  for (auto& [id, entry] : entries_) {
    if (!entry.changed) continue;
    if (auto status = store(entry); !status.ok()) return status;
    entry.changed = false;
  }
  changed_ = 0;
  return {};
}

void GapLedger::Close(Seq seq) {
  std::erase_if(entries_, [&](const auto& item) {
    if (item.second.seq != seq) return false;
    if (item.second.changed) --changed_;
    return true;
  });
}

void GapLedger::CloseClass(RecordClass record_class) {
  std::erase_if(entries_,
                [&](const auto& item) { return item.second.gap.record_class == record_class; });
}

}  // namespace tidegate
