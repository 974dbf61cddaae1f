// What a message said, in four bytes: the same for the message that comes in and for its records
// when they come from the store. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/record.h"

namespace tidegate {

class Fingerprint {
 public:
  // The message's records, in order. The time that the gateway gave is left out: it is another one
  // when the message comes again.
  void Add(const Record& record);
  // A message without any record: its payload.
  void AddRefused(std::string_view payload);

  // Four of eight bytes: compared only between messages with one packet id, or to be careful.
  uint32_t value() const { return static_cast<uint32_t>(hash_); }
  // Every record carries its own time or event_id: the reader takes two of it for one.
  bool same_record() const { return same_record_; }

 private:
  void Mix(std::string_view bytes);

  uint64_t hash_ = 0;
  bool same_record_ = true;
};

}  // namespace tidegate
