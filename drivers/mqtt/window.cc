#include "drivers/mqtt/window.h"

#include <algorithm>

#include "core/check.h"

namespace tidegate {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Equal episodes that make a window. Two happen by chance too often with few assets.
constexpr int kEvidence = 3;
// Silence shorter than this says nothing: a vehicle's own pause between two messages.
constexpr milliseconds kLeastSilence{20};
// A blocked broker answers an acknowledgement at once: its answer and its burst are short against
// the silence that follows.
constexpr int kSilenceToAnswer = 4;
constexpr int kSilenceToBurst = 2;
// Scheduling noise that makes no answer slow.
constexpr milliseconds kNoise{5};
constexpr int kSlowAnswers = 3;
// A probe costs one commit interval: at most 2 % of the time with the default of 200 ms, soon less.
constexpr seconds kFirstProbe{10};
constexpr minutes kRarestProbe{5};

}  // namespace

void Window::Connected() {
  began_.reset();
  count_ = 0;
  seen_ = 0;
  slow_answers_ = 0;
  probing_ = false;
}

void Window::Arrived(size_t messages, BootTime now) {
  if (messages == 0) return;
  if (count_ == 0) first_ = now;
  last_ = now;
  count_ += messages;
  if (learned_.has_value() && count_ > *learned_) Forget();
}

void Window::Acknowledged(BootTime now) {
  CHECK(!probing_ || learned_.has_value(), "only a learned window is probed");
  if (count_ > 0 && began_.has_value()) {
    if (probing_) {
      JudgeProbe(now);
    } else if (learned_.has_value()) {
      JudgeAnswer();
    } else {
      JudgeSearch(now);
    }
  }
  began_ = now;
  count_ = 0;
  probing_ = learned_.has_value() && now >= next_probe_;
}

bool Window::LooksBlocked(BootTime now) const {
  const Duration answer = first_ - *began_;
  const Duration burst = last_ - first_;
  const Duration silence = now - last_;
  return count_ < ceiling_ && silence >= kLeastSilence && silence >= answer * kSilenceToAnswer &&
         silence >= burst * kSilenceToBurst;
}

void Window::JudgeSearch(BootTime now) {
  if (!LooksBlocked(now)) {
    seen_ = 0;
    return;
  }
  if (seen_ == 0 || count_ != candidate_) {
    candidate_ = count_;
    seen_ = 0;
    answer_ = Duration::zero();
  }
  answer_ = std::max(answer_, Duration(first_ - *began_));
  if (++seen_ >= kEvidence) Learn(now);
}

void Window::JudgeProbe(BootTime now) {
  if (!LooksBlocked(now) || count_ != learned_) {
    Forget();
    return;
  }
  probe_interval_ = std::min<Duration>(probe_interval_ * 2, kRarestProbe);
  next_probe_ = now + probe_interval_;
}

// A source that was waiting for us sends at once. One that does not is slow by itself, and
// committing early for it only wears the flash.
void Window::JudgeAnswer() {
  const Duration answer = first_ - *began_;
  if (answer <= answer_ * 2 + kNoise) {
    slow_answers_ = 0;
  } else if (++slow_answers_ >= kSlowAnswers) {
    Forget();
  }
}

void Window::Learn(BootTime now) {
  CHECK(candidate_ > 0 && candidate_ < ceiling_, "a learned window is smaller than the ceiling");
  learned_ = candidate_;
  slow_answers_ = 0;
  probe_interval_ = kFirstProbe;
  next_probe_ = now + probe_interval_;
}

void Window::Forget() {
  learned_.reset();
  probing_ = false;
  seen_ = 0;
}

}  // namespace tidegate
