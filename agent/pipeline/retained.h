// Recognises a retained message that is stored already. A broker sends the retained message of each
// topic again whenever we subscribe anew (with MQTT 3.1.1 on each connection), so that without this
// an old state would be stored and dated again and again. One object for each input. Loop thread
// only.
//
// Two contents are remembered for each topic: of its last message, and of its last retained one. A
// retained message with one of them is stored already. Only hashes are kept, in a table of a fixed
// size in which topics may displace each other: what is forgotten is stored once more, and no more.
// Known loss: a message that is published again with the same bytes while the broker keeps no
// session for us shows only as that retained message, so it is not stored again.
//
// In batches and snapshots an input's retained messages count as those of an input of its own, so
// that a restart knows them and versions without this can read both.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/pipeline/fold_state.h"

namespace tidegate {

// The name of the input that the retained messages of `input` count as. No input is configured
// under it, because of its space.
std::string RetainedInputName(std::string_view input);
bool IsRetainedInput(std::string_view name);
// REQUIRES: IsRetainedInput(name).
std::string_view InputOfRetained(std::string_view name);

class RetainedReceipts {
 public:
  // Two for each topic at most; 32 KiB in all, once a message has come.
  static constexpr size_t kPlaces = 8192;

  // A retained message has come; its content is remembered. True: it is stored already.
  bool Recognise(std::string_view topic, uint64_t content);
  // Any other message has come.
  void Add(std::string_view topic, uint64_t content);
  // A retained message has ever come.
  bool active() const { return active_; }

  // Writes nothing unless active(), so that a fleet without retained messages pays nothing.
  void Save(InputReceipts& saved) const;
  void Load(const InputReceipts& saved);

 private:
  enum class Kind : uint64_t { kLast = 1, kRetained = 2 };

  uint32_t& Place(uint64_t key);
  bool Holds(Kind kind, std::string_view topic, uint64_t content);
  void Put(Kind kind, std::string_view topic, uint64_t content);

  // By a hash of topic and kind: a hash of these and the content; 0: none. Empty until the first
  // message.
  std::vector<uint32_t> places_;
  bool active_ = false;
};

}  // namespace tidegate
