// A forwarder between a store in memory and a scripted transport, stepped by hand.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/fake_clock.h"
#include "tests/support/manual_loop.h"
#include "tests/support/memory_store.h"
#include "tests/support/scripted_transport.h"
#include "uplink/forwarder.h"

namespace tidegate {

class ForwarderTest : public ::testing::Test {
 protected:
  ForwarderTest() { options_.gateway = "gw-1"; }

  void Start() {
    forwarder_ =
        std::make_unique<Forwarder>(store_, transport_, loop_, clock_, log_, metrics_, options_);
    Turn();
  }
  // A crash and a start: records in flight are forgotten, the store is kept.
  void Restart() {
    forwarder_.reset();
    transport_ = ScriptedTransport();
    Start();
  }
  // Runs turns of the loop while there is something to do.
  void Turn() {
    for (int i = 0; i < 100 && loop_.turn_end_pending(); ++i) loop_.EndTurn();
  }
  void Wait(std::chrono::milliseconds duration) {
    loop_.Advance(duration);
    Turn();
  }

  static Record MakeRecord(RecordClass record_class, const std::string& asset, std::string value) {
    Record record;
    record.record_class = record_class;
    record.tenant = "acme";
    record.asset = asset;
    record.value = std::move(value);
    return record;
  }
  // Appends one batch.
  Seq Store(RecordClass record_class, std::vector<Record> records) {
    AppendRequest request;
    request.batches = {{record_class, records}};
    request.stamp = StampNow(clock_);
    const Result<Seq> seq = store_.Append(request);
    EXPECT_TRUE(seq.ok());
    if (forwarder_) forwarder_->OnStored();
    Turn();
    return *seq;
  }
  Seq StoreHeartbeats(size_t count, const std::string& asset = "truck-1") {
    return Store(RecordClass::kHeartbeat,
                 std::vector<Record>(count, MakeRecord(RecordClass::kHeartbeat, asset, "{}")));
  }
  Seq StoreAlert() {
    return Store(RecordClass::kAlert, {MakeRecord(RecordClass::kAlert, "truck-1", "{}")});
  }
  void AckAll() {
    for (int i = 0; i < 100 && !transport_.pending().empty(); ++i) {
      transport_.AckAll();
      Turn();
    }
  }
  // Answers like a broker that refuses these messages, until the forwarder is idle.
  void AnswerAll(const std::function<bool(const WireMessage&)>& refuses) {
    for (int i = 0; i < 10000 && !forwarder_->Idle(); ++i) {
      if (transport_.pending().empty()) {
        Wait(std::chrono::seconds(30));
      } else {
        transport_.AnswerRequests(refuses);
        Turn();
      }
    }
    EXPECT_TRUE(forwarder_->Idle());
  }
  uint64_t Stored() { return store_.Usage().total_records(); }
  static std::vector<Seq> Range(Seq first, Seq last) {
    std::vector<Seq> seqs;
    for (Seq seq = first; seq <= last; ++seq) seqs.push_back(seq);
    return seqs;
  }

  FakeClock clock_;
  ManualLoop loop_{clock_};
  std::vector<std::string> log_lines_;
  Log log_{LogLevel::kInfo,
           [this](LogLevel, std::string_view line) { log_lines_.emplace_back(line); }};
  Metrics metrics_;
  MemoryStore store_;
  ScriptedTransport transport_;
  Forwarder::Options options_;
  std::unique_ptr<Forwarder> forwarder_;
};

}  // namespace tidegate
