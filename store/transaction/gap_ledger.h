// The gap records that may still grow: written by this process and not handed out yet. Losses that
// go on for hours so become a few records. Pure; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "core/record.h"
#include "store/format/gap_record.h"

namespace tidegate {

class GapLedger {
 public:
  struct Entry {
    Seq seq = 0;  // Of the stored record; 0 if it has none yet.
    Gap gap;
    bool changed = true;  // Since it was last stored.
  };

  // Joins the loss with the entry of the same tenant, class and reason, or begins one.
  void Add(const Gap& gap);
  // Calls `store` for each changed entry; it stores the record and, if it is new, sets its seq.
  Status StoreChanged(const std::function<Status(Entry&)>& store);

  // The stored gap record of that seq has been handed out, delivered or given up: it grows no more.
  void Close(Seq seq);
  // A batch of that class has been handed out. What is lost from now on does not follow directly on
  // what was lost before.
  void CloseClass(RecordClass record_class);

  size_t changed() const { return changed_; }

 private:
  using Id = std::tuple<std::string, RecordClass, std::string_view>;

  std::map<Id, Entry> entries_;
  size_t changed_ = 0;
};

}  // namespace tidegate
