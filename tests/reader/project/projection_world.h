// A simulated world of projectors, with Kafka and the database in memory. Everything may happen to
// them: processes end between any two accesses, partitions move and overlap, offsets are read
// again, records are in Kafka twice. The world also computes what the projections must be.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>

#include "reader/project/projector.h"
#include "tests/support/fake_clock.h"
#include "tests/support/reader/kafka_log.h"
#include "tests/support/reader/memory_projection_store.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {

using std::chrono::milliseconds;

inline const Partition kBeats0{"telematics.raw.telematics_heartbeat", 0};
inline const Partition kBeats1{"telematics.raw.telematics_heartbeat", 1};
inline const Partition kReadings0{"telemetry.raw", 0};
inline const Partition kReadings1{"telemetry.raw", 1};
inline const Partition kMachines0{"machine.sensor.readings", 0};
inline const Partition kMachines1{"machine.sensor.readings", 1};
inline const Partition kAlerts0{"telemetry.alerts", 0};
inline const Partition kGaps0{"telemetry.gaps", 0};
inline const std::vector<Partition> kAll{kBeats0,    kBeats1,    kReadings0, kReadings1,
                                         kMachines0, kMachines1, kAlerts0,   kGaps0};

// Records the ids of the alerts that were inserted.
class AlertStore final : public DocumentStore {
 public:
  explicit AlertStore(std::set<std::string>& ids) : ids_(ids) {}
  Result<std::vector<WriteResult>> Write(std::span<const Document> documents) override;
  Status EnsureIndexes(const Namespace&, std::span<const Index>) override { return {}; }
  Status Ping() override { return {}; }

 private:
  std::set<std::string>& ids_;
};

Folder::Options FolderOptions();

class World {
 public:
  explicit World(uint64_t seed) : random_(seed) {
    clock_.SetWall(WallTime(std::chrono::seconds(1'750'700'000)));  // After most messages' times.
    for (size_t i = 0; i < 2; ++i) Start(i);
    for (const Partition& partition : kAll) readers_[Pick(2)]->source.Assign(partition);
  }

  size_t Pick(size_t below) { return random_() % below; }

  // Lets one random thing happen.
  void Turn();

  // Lands everything, gives all partitions to one reader, and runs it without faults until it has
  // committed everything.
  void Converge();

  // Ends what Converge() began: faults may happen again.
  void Disturb();

  // Lands messages that were dead letters, under their own places, as a replay does.
  void LandWhatWasGivenUp();

  // Lands them as a replay does that reads their letters in another order. Returns the letters in
  // the order of their places, with these as the events' places.
  std::vector<Event> LandAsLetters();

  void WriteAndLandAll();

  // Runs a new reader with all partitions for some turns.
  void RunFresh(int turns);
  std::string Trouble() const { return board_.Read()[0].trouble; }

  // Computes the projections from the landed documents alone, one partition after the other.
  std::map<DocumentKey, Projection> Recompute(std::set<std::string>& alerts);

  MemoryDatabase& database() { return database_; }
  const Decoder& decoder() const { return decoder_; }
  FakeClock& clock() { return clock_; }
  const Log& log() const { return log_lines_; }
  std::set<std::string>& alerts() { return alerts_; }
  size_t raw() const { return raw_.size(); }
  size_t ends() const { return ends_; }
  uint64_t conflicts() const;

 private:
  struct Reader {
    Reader(World& world, size_t number);

    LogSource source;
    MemoryProjectionStore store;
    AlertStore documents;
    std::optional<Projector> projector;
  };

  void Start(size_t number) { readers_[number] = std::make_unique<Reader>(*this, number); }

  void Run(size_t number);

  // Called before and after each access to the database: ends the process, or lets the other reader
  // run in between.
  Status Meddle(size_t number, bool after);

  // Moves a partition to the other reader. With `overlap` the previous reader does not know yet.
  void Move(bool overlap);

  // Sets the group back to an earlier offset, for both readers.
  void Replay();

  void Write();

  void WriteOne();

  void Append(const Partition& partition, const std::string& open, int64_t gap);

  void Land();

  // Lands messages as a worker does, documents first, then the position, but without faults.
  void LandUpTo(const Partition& partition, int64_t end);

  void Keep(const SourceMessage& message, std::optional<LetterPlace> letter = std::nullopt);

  std::mt19937_64 random_;
  KafkaLog log_;
  MemoryDatabase database_;
  std::set<std::string> alerts_;
  std::map<std::pair<Partition, int64_t>, Document> raw_;
  Decoder decoder_{{}, BuiltInTable()};
  FakeClock clock_;
  Log log_lines_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  Metrics registry_;
  ProjectorMetrics metrics_{registry_};
  StatusBoard board_{2};
  std::vector<std::unique_ptr<Reader>> readers_{2};
  std::optional<size_t> busy_;
  bool nested_ = false;
  bool ended_ = false;
  bool quiet_ = false;
  int fail_after_ = -1;
  size_t ends_ = 0;
  int64_t seconds_ = 0;
  std::string last_beat_;
};

std::string Show(const Projection& projection);

}  // namespace tidegate::reader
