#include "store/transaction/gap_ledger.h"

#include <algorithm>

#include "core/check.h"
#include "core/reached.h"

namespace tidegate {

void GapLedger::Add(Gap gap, const std::string& fallback_tenant) {
  CHECK(gap.first_seq <= gap.last_seq, "a loss has its seqs in order");
  const auto id = [&] { return Id{gap.tenant, gap.record_class, gap.reason}; };
  if (entries_.size() >= kMostEntries && !entries_.contains(id())) {
    REACHED("store: a loss is declared under the fallback tenant");
    gap.tenant = fallback_tenant;
  }
  const auto [position, is_new] = entries_.try_emplace(id());
  CHECK(!is_new || entries_.size() <= kMostEntries || gap.tenant == fallback_tenant,
        "only the fallback tenant has entries beyond the limit");
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
    CHECK(entry.seq != 0, "a stored gap record has a seq");
    CHECK(changed_ > 0, "the changed entries are counted");
    entry.changed = false;
    --changed_;
  }
  CHECK(changed_ == 0, "no changed entry is left out");
  return {};
}

void GapLedger::Close(Seq seq) {
  CHECK(seq != 0, "only a stored gap record is closed");
  EraseIf([&](const Entry& entry) { return entry.seq == seq; });
}

void GapLedger::CloseClass(RecordClass record_class) {
  EraseIf([&](const Entry& entry) { return entry.gap.record_class == record_class; });
}

void GapLedger::EraseIf(const std::function<bool(const Entry&)>& matches) {
  std::erase_if(entries_, [&](const auto& item) {
    if (!matches(item.second)) return false;
    if (item.second.changed) {
      CHECK(changed_ > 0, "the changed entries are counted");
      --changed_;
    }
    return true;
  });
}

}  // namespace tidegate
