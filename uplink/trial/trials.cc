#include "uplink/trial/trials.h"

#include <algorithm>

namespace tidegate {

void Trials::OnRefused(TopicIndex topic, const Transport::Report& report, BootTime now) {
  TopicTrial& trial = trials_.try_emplace(topic, topic, parts_).first->second;
  parts_.topics.SetTrial(topic, true);
  trial.OnRefused(report.reason, report.refusal, now);
}

void Trials::Step(BootTime now) {
  auto next = trials_.upper_bound(last_);
  for (size_t i = trials_.size(); i > 0; --i) {
    if (next == trials_.end()) next = trials_.begin();
    auto& [topic, trial] = *next;
    if (trial.Over(now)) {
      parts_.topics.SetTrial(topic, false);
      next = trials_.erase(next);
      continue;
    }
    if (trial.Step(now)) last_ = topic;
    ++next;
  }
}

void Trials::Forget(const ClassQueue& queue) {
  for (auto& [topic, trial] : trials_) trial.Forget(queue);
}

void Trials::Clear() {
  trials_.clear();
  parts_.spare.reset();
}

bool Trials::searching() const {
  return std::ranges::any_of(trials_, [](const auto& entry) { return entry.second.searching(); });
}

}  // namespace tidegate
