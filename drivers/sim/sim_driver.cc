#include "drivers/sim/sim_driver.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace tidegate {
namespace {

using std::chrono::milliseconds;

// High rates come in bursts rather than with a timer for each heartbeat.
constexpr BootTime kBurst = milliseconds(5);
// One turn offers this many at most, so that the loop serves its other sources.
constexpr int kPerTurn = 500;
constexpr BootTime kPause = milliseconds(1);
// What has been due for longer than this is skipped.
constexpr BootTime kMostLateness = std::chrono::seconds(1);

}  // namespace

SimDriver::SimDriver(SimOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), fleet_(options_.fleet) {
  if (options_.rate > 0) {
    interval_ =
        std::chrono::duration_cast<BootTime>(std::chrono::duration<double>(1 / options_.rate));
  }
}

SimDriver::~SimDriver() = default;

Status SimDriver::Start(Loop& loop, Inbox& inbox) {
  CHECK(inbox_ == nullptr, "a driver is started once");
  inbox_ = &inbox;
  due_ = clock_.SinceBoot();
  tick_ = loop.AddTimer([this] { OnTick(); });
  tick_->After(BootTime::zero());
  return {};
}

void SimDriver::Settled(Ticket last) {
  CHECK(last <= accepted_, "only accepted tickets are settled");
  settled_ = std::max(settled_, last);
}

void SimDriver::Stop() {
  tick_.reset();
  inbox_ = nullptr;
}

void SimDriver::OnTick() {
  const BootTime now = clock_.SinceBoot();
  due_ = std::max(due_, now - kMostLateness);
  for (int i = 0; i < kPerTurn && due_ <= now; ++i) {
    if (finished() || !OfferNext()) return;
    due_ += interval_;
  }
  if (!finished())
    tick_->After(interval_ > BootTime::zero() ? std::max(due_ - now, kBurst) : kPause);
}

bool SimDriver::OfferNext() {
  if (!held_.has_value()) held_ = fleet_.Next(clock_.Now());
  const Message message{.payload = held_->payload,
                        .tenant = {},
                        .asset = {},
                        .origin = "sim",
                        .packet_id = std::nullopt};
  if (!inbox_->Offer(message, accepted_ + 1)) return false;
  ++accepted_;
  held_.reset();
  return true;
}

void SimDriver::Resume() {
  if (inbox_ != nullptr && held_.has_value()) OnTick();
}

DriverStatus SimDriver::status() const {
  return {.connected = inbox_ != nullptr,
          .detail = fmt::format("{} assets, {} heartbeats{}{}", fleet_.size(), accepted_,
                                finished() ? ", finished" : "",
                                held_.has_value() ? ", waiting for room" : "")};
}

}  // namespace tidegate
