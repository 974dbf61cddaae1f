#include "drivers/sim/publish_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tidegate {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestStep{100};  // Signals and progress wait no longer than this.
constexpr int kPerStep = 1000;

}  // namespace

PublishRun::PublishRun(RunOptions options, Fleet& fleet, Publisher& publisher, const Clock& clock,
                       std::function<bool()> stopped, Progress progress)
    : options_(options),
      fleet_(fleet),
      publisher_(publisher),
      clock_(clock),
      stopped_(std::move(stopped)),
      progress_(std::move(progress)) {}

RunResult PublishRun::Run() {
  begun_ = reported_ = last_progress_ = clock_.SinceBoot();
  while (true) {
    const BootTime now = clock_.SinceBoot();
    if (!stopped_at_.has_value() && stopped_()) stopped_at_ = now;
    const milliseconds idle = PublishDue(now);
    const Status status = publisher_.Step(Finished() ? milliseconds(0) : idle);
    const PublisherCounts counts = publisher_.counts();
    result_.acknowledged = counts.acknowledged;
    result_.refused = counts.refused;
    Report(clock_.SinceBoot());
    if (!status.ok()) result_.problem = status.error().message;
    if (status.ok() && !Finished()) result_.problem = Hopeless(clock_.SinceBoot());
    if (Finished() || !result_.problem.empty()) break;
  }
  if (result_.refused > 0 && result_.problem.empty()) {
    result_.problem = fmt::format("{} refused, {}", result_.refused, publisher_.state());
  }
  result_.complete = result_.problem.empty() && result_.acknowledged == result_.published;
  return result_;
}

bool PublishRun::Finished() const {
  const bool all_published = stopped_at_.has_value() || result_.published == options_.count;
  return all_published && (options_.count != 0 || stopped_at_.has_value()) &&
         result_.acknowledged + result_.refused >= result_.published;
}

milliseconds PublishRun::PublishDue(BootTime now) {
  const bool endless = options_.count == 0;
  for (int i = 0; i < kPerStep; ++i) {
    if (stopped_at_.has_value() || (!endless && result_.published >= options_.count)) {
      if (!std::exchange(flushed_, true)) publisher_.Flush();
      return kLongestStep;
    }
    if (options_.rate > 0) {
      const std::chrono::duration<double> offset(static_cast<double>(result_.published) /
                                                 options_.rate);
      const BootTime due = begun_ + std::chrono::duration_cast<BootTime>(offset);
      if (due > now) {
        return std::min(kLongestStep, std::chrono::ceil<milliseconds>(due - now));
      }
    }
    if (!publisher_.HasRoom()) return kLongestStep;
    publisher_.Publish(fleet_.Next(Date()));
    ++result_.published;
  }
  return milliseconds(0);
}

WallTime PublishRun::Date() const {
  if (!options_.start.has_value()) return clock_.Now();
  return *options_.start + std::chrono::seconds(result_.published / fleet_.size());
}

std::string PublishRun::Hopeless(BootTime now) {
  const uint64_t answered = result_.acknowledged + result_.refused;
  const bool waiting = answered < result_.published || !publisher_.HasRoom();
  if (answered != std::exchange(last_answered_, answered) || !waiting) last_progress_ = now;
  if (now - last_progress_ > options_.give_up_after) {
    return fmt::format("no acknowledgement for {} s: {}",
                       std::chrono::floor<std::chrono::seconds>(options_.give_up_after).count(),
                       publisher_.state());
  }
  if (stopped_at_.has_value() && now - *stopped_at_ > options_.stop_within) {
    return fmt::format("stopped before all were acknowledged: {}", publisher_.state());
  }
  return "";
}

void PublishRun::Report(BootTime now) {
  result_.duration = std::chrono::duration_cast<milliseconds>(now - begun_);
  if (now - reported_ < std::chrono::seconds(1)) return;
  reported_ = now;
  if (progress_) progress_(result_);
}

}  // namespace tidegate
