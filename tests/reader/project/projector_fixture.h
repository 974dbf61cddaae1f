// A projector on fakes that tests step by hand. One thread.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>

#include "reader/project/projector.h"
#include "tests/support/fake_clock.h"
#include "tests/support/reader/fake_document_store.h"
#include "tests/support/reader/fake_source.h"
#include "tests/support/reader/memory_projection_store.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {

using std::chrono::milliseconds;

// Some databases answer reads and refuse writes, and some take their time.
class TroubledStore final : public MemoryProjectionStore {
 public:
  TroubledStore(MemoryDatabase& database, FakeClock& clock)
      : MemoryProjectionStore(database), clock_(clock) {}
  Result<std::vector<Projection>> Load(std::span<const DocumentKey> keys) override {
    if (!keys.empty()) Pass(keys.front().ns.database);
    return MemoryProjectionStore::Load(keys);
  }
  Result<std::vector<std::optional<Landed>>> FindLanded(
      std::span<const DocumentKey> keys) override {
    if (!keys.empty()) Pass(keys.front().ns.database);
    return MemoryProjectionStore::FindLanded(keys);
  }
  Result<std::vector<SaveOutcome>> Save(std::span<const Projection> projections) override {
    const std::string& database = projections.front().key.ns.database;
    Pass(database);
    if (read_only.contains(database)) return Error{ErrorCode::kUnavailable, "the disk is full"};
    return MemoryProjectionStore::Save(projections);
  }

  std::set<std::string> read_only;
  // How long each call takes.
  std::map<std::string, milliseconds> takes;

 private:
  void Pass(const std::string& database) {
    if (const auto found = takes.find(database); found != takes.end())
      clock_.Advance(found->second);
  }
  FakeClock& clock_;
};

class ProjectorTest : public testing::Test {
 protected:
  ProjectorTest() { source_.Assign({kHeartbeats0, kHeartbeats1}); }

  Projector& projector() {
    if (!projector_) {
      projector_.emplace(
          options_,
          Projector::Parts{source_, store_, documents_, *decoder_, clock_, log_, metrics_, board_},
          0, "projector 0", 7);
    }
    return *projector_;
  }
  void Step() { ASSERT_TRUE(projector().Step(milliseconds(0)).ok()); }
  void StepFor(int turns) {
    for (int i = 0; i < turns; ++i) {
      Step();
      clock_.Advance(milliseconds(300));
    }
  }
  // The landing has taken this heartbeat from there.
  void Land(const std::string& event_id, const Partition& from, int64_t offset, int64_t epoch = 0) {
    database_.landed[{{"tidegate", "heartbeats"}, "acme/truck-1/" + event_id}] = {
        .topic = from.topic,
        .partition = from.number,
        .offset = offset,
        .time = WallTime(milliseconds(1'750'639'021'000)),
        .epoch = epoch};
    int64_t& position = database_.positions[PartitionName(from, epoch)];
    position = std::max(position, offset + 1);
  }
  int64_t Documents() {
    const auto found = database_.projections.find({{"tidegate", "assets"}, "acme/truck-1"});
    return found == database_.projections.end() ? 0 : found->second.members.Integer("documents");
  }

  Projector::Options options_{.batch_records = 10,
                              .batch_interval = milliseconds(100),
                              .backoff = {.initial = milliseconds(500), .max = milliseconds(800)},
                              .folder = {}};
  FakeSource source_;
  MemoryDatabase database_;
  FakeClock clock_;
  TroubledStore store_{database_, clock_};
  FakeDocumentStore documents_;
  std::optional<Decoder> decoder_{std::in_place, Decoder::Options{}, BuiltInTable()};
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  Metrics registry_;
  ProjectorMetrics metrics_{registry_};
  StatusBoard board_{1};
  std::optional<Projector> projector_;
};

}  // namespace tidegate::reader
