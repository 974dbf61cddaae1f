// The gap records that may still grow: this process wrote them, and Next has not returned them yet.
// So losses that last for hours become a few records. Sources may invent tenants, so there are no
// more than kMostEntries; what further tenants lose is declared under the fallback tenant. Pure;
// one thread.
//
// Invariants:
// - changed() is the number of entries that are marked as changed; it is checked at each decrement,
//   and to be 0 after StoreChanged.
// - The fallback tenant alone has entries beyond kMostEntries: Add.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "core/record.h"
#include "store/format/gap_record.h"

namespace tidegate {

class GapLedger {
 public:
  static constexpr size_t kMostEntries = 64;

  struct Entry {
    // Seq of the stored gap record; 0 if it is not stored yet.
    Seq seq = 0;
    Gap gap;
    // The gap differs from the stored record.
    bool changed = true;
  };

  // Adds the loss to the entry of the same tenant, class and reason, or begins one; with
  // kMostEntries and none for it, to that of `fallback_tenant`. REQUIRES: first_seq <= last_seq.
  void Add(Gap gap, const std::string& fallback_tenant);
  // Calls `store` for each changed entry; `store` writes the gap record and sets the seq of a new
  // one. Stops at its first error.
  Status StoreChanged(const std::function<Status(Entry&)>& store);

  // The stored gap record of that seq grows no more: Next returned it, or it was deleted. REQUIRES:
  // `seq` is not 0.
  void Close(Seq seq);
  // Next returned a batch of that class, so that later losses do not follow directly on earlier
  // ones: the gap records about that class grow no more.
  void CloseClass(RecordClass record_class);

  size_t changed() const { return changed_; }

 private:
  using Id = std::tuple<std::string, std::optional<RecordClass>, std::string_view>;

  void EraseIf(const std::function<bool(const Entry&)>& matches);

  std::map<Id, Entry> entries_;
  size_t changed_ = 0;
};

}  // namespace tidegate
