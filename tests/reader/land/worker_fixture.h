// A worker on fakes that tests step by hand. One thread.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "reader/land/worker.h"
#include "tests/support/fake_clock.h"
#include "tests/support/reader/fake_document_store.h"
#include "tests/support/reader/fake_source.h"
#include "tests/support/reader/memory_projection_store.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {

class WorkerTest : public testing::Test {
 protected:
  WorkerTest() { source_.Assign({kHeartbeats0, kHeartbeats1}); }

  Worker& worker() {
    if (!worker_) {
      worker_.emplace(options_,
                      Worker::Parts{source_, store_, projections_, dead_letters_, decoder_, clock_,
                                    log_, reader_metrics_, board_},
                      0, 7);
    }
    return *worker_;
  }

  void Step() { ASSERT_TRUE(worker().Step(std::chrono::milliseconds(100)).ok()); }
  // Polls what the source has, and lets the batch become due.
  void StepUntilDue() {
    Step();
    clock_.Advance(std::chrono::milliseconds(500));
    Step();
  }
  // Steps ten times, over more time than any backoff.
  void StepThroughABackoff() {
    for (int i = 0; i < 10; ++i) {
      clock_.Advance(std::chrono::milliseconds(100));
      Step();
    }
  }
  MemberState State() { return board_.Read()[0]; }

  Worker::Options options_{.batch_records = 10,
                           .batch_interval = std::chrono::milliseconds(500),
                           .max_attempts = 3,
                           .backoff = {.initial = std::chrono::milliseconds(500),
                                       .max = std::chrono::milliseconds(800)}};
  FakeSource source_;
  FakeDocumentStore store_;
  MemoryDatabase memory_;
  MemoryProjectionStore projections_{memory_};
  FakeDeadLetters dead_letters_;
  Decoder decoder_{{}, BuiltInTable()};
  FakeClock clock_;
  std::string logged_;
  Log log_{LogLevel::kDebug,
           [this](LogLevel, std::string_view line) { logged_ += std::string(line) + "\n"; }};
  Metrics metrics_;
  ReaderMetrics reader_metrics_{metrics_};
  StatusBoard board_{1};
  std::optional<Worker> worker_;
};

}  // namespace tidegate::reader
