// The topics on trial: those whose broker has refused a request during the last minutes. Each takes
// its steps by itself (topic_trial.h), in turn, so that none waits for another. Loop thread only.
//
// Invariant: TopicTable knows exactly these topics to be on trial: OnRefused(), Step().
#pragma once

#include <cstddef>
#include <map>

#include "core/clock.h"
#include "uplink/transport.h"
#include "uplink/trial/topic_trial.h"

namespace tidegate {

class Trials {
 public:
  explicit Trials(const TopicTrial::Parts& parts) : parts_(parts) {}

  // A record was refused: its topic is on trial from now on. REQUIRES: as TopicTrial::OnRefused().
  void OnRefused(TopicIndex topic, const Transport::Report& report, BootTime now);
  // Does what can be done now. Topics that behave are on trial no more.
  void Step(BootTime now);
  // As TopicTrial::Forget().
  void Forget(const ClassQueue& queue);
  // The epoch has ended, or no index of a topic is used any more.
  void Clear();

  // Topics on trial.
  size_t size() const { return trials_.size(); }
  // Returns true if a refused record is looked for.
  bool searching() const;

 private:
  const TopicTrial::Parts parts_;
  std::map<TopicIndex, TopicTrial> trials_;
  // The topic that has sent last.
  TopicIndex last_ = 0;
};

}  // namespace tidegate
