// One input's side of the pipeline. Private to it.
#pragma once

#include "agent/pipeline/pipeline.h"

namespace tidegate {

class Pipeline::InputInbox final : public Inbox {
 public:
  InputInbox(Pipeline& pipeline, const Input& input, Driver* driver, uint16_t index,
             Receipts& receipts)
      : pipeline_(pipeline),
        input_(input),
        driver_(driver),
        index_(index),
        receipts_(receipts),
        messages_(pipeline.metrics_.AddCounter("tidegate_input_messages_total",
                                               "Messages taken from an input",
                                               {{"input", input.name}})),
        refused_(pipeline.metrics_.AddCounter("tidegate_input_refused_total",
                                              "Records or messages that went to the dead letters",
                                              {{"input", input.name}})),
        redelivered_(pipeline.metrics_.AddCounter(
            "tidegate_input_redelivered_total",
            "Messages that were stored already when they came again", {{"input", input.name}})) {}

  bool Offer(const Message& message, Ticket ticket) override {
    return pipeline_.Accept(*this, message, ticket);
  }
  void OnSession(const Session& session) override {
    receipts_.OnSession(session.resumed, session.acknowledged);
  }
  void OnCaughtUp() override { receipts_.OnCaughtUp(); }

 private:
  friend class Pipeline;
  Pipeline& pipeline_;
  Input input_;
  Driver* driver_;
  const uint16_t index_;  // In Pipeline::input_names_.
  Receipts& receipts_;
  Ticket accepted_ = 0;
  Ticket settled_ = 0;
  Metrics::Counter& messages_;
  Metrics::Counter& refused_;
  Metrics::Counter& redelivered_;
};

}  // namespace tidegate
