// A hash of a message's content: equal when made from the message as it arrives and when made from
// its records as they are stored. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/record.h"

namespace tidegate {

class Fingerprint {
 public:
  // Adds the message's records, in order. Skips a time that the gateway gave: it is another one
  // when the message arrives again.
  void Add(const Record& record);
  // Adds the payload of a message without any record.
  void AddRefused(std::string_view payload);

  uint64_t value() const { return hash_; }
  // Every record carries its own time or event_id, so that the reader stores two deliveries once.
  bool same_record() const { return same_record_; }

 private:
  void Mix(std::string_view bytes);

  uint64_t hash_ = 0;
  bool same_record_ = true;
};

}  // namespace tidegate
