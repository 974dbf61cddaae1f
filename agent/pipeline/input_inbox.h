// The pipeline's side of one input: its inbox, its receipts and its tickets. Private to the
// pipeline. Loop thread only.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "agent/pipeline/pipeline.h"
#include "agent/pipeline/receipts.h"
#include "agent/pipeline/retained.h"
#include "core/check.h"
#include "core/metrics.h"
#include "drivers/driver.h"

namespace tidegate {

class Pipeline::InputInbox final : public Inbox {
 public:
  // All references outlive the inbox. `index` is the input's index in arrivals.
  InputInbox(Pipeline& pipeline, const Input& input, Driver& driver, uint16_t index,
             Receipts& receipts, RetainedReceipts& retained, Metrics& metrics)
      : pipeline_(pipeline),
        input_(input),
        driver_(driver),
        index_(index),
        receipts_(receipts),
        retained_(retained),
        messages_(metrics.AddCounter("tidegate_input_messages_total",
                                     "Messages taken from an input", {{"input", input.name}})),
        refused_(metrics.AddCounter("tidegate_input_refused_total",
                                    "Records or messages that went to the dead letters",
                                    {{"input", input.name}})),
        yields_(metrics.AddCounter("tidegate_input_yields_total",
                                   "Turns of the loop in which an input had used up its time",
                                   {{"input", input.name}})),
        redelivered_(metrics.AddCounter("tidegate_input_redelivered_total",
                                        "Messages that were stored already when they came again",
                                        {{"input", input.name}})) {}

  bool Offer(const Message& message, Ticket ticket) override {
    return pipeline_.Accept(*this, message, ticket);
  }
  void OnSession(const Session& session) override {
    CHECK(session.acknowledged <= accepted_, "only accepted messages were acknowledged");
    receipts_.OnSession(session.resumed, session.acknowledged);
  }
  void OnCaughtUp() override { receipts_.OnCaughtUp(); }

 private:
  friend class Pipeline;

  Pipeline& pipeline_;
  const Input input_;
  Driver& driver_;
  const uint16_t index_;
  // That of the input's retained messages; nullopt until the first of them.
  std::optional<uint16_t> retained_index_;
  Receipts& receipts_;
  RetainedReceipts& retained_;
  Ticket accepted_ = 0;
  Ticket settled_ = 0;
  // Time that its messages took in this turn of the loop.
  std::chrono::nanoseconds turn_used_{0};
  // Offer() has returned false because that was too much.
  bool yielded_ = false;
  Metrics::Counter& messages_;
  Metrics::Counter& refused_;
  Metrics::Counter& yields_;
  Metrics::Counter& redelivered_;
};

}  // namespace tidegate
