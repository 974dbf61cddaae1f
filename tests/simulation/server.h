// A simulated server side: one worker, one projector and one unparker of the reader, on the model
// of Kafka and the model of the database. Each can end and be replaced. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "reader/decode/decoder.h"
#include "reader/land/worker.h"
#include "reader/park/unparker.h"
#include "reader/project/projector.h"
#include "tests/simulation/kafka_model.h"
#include "tests/simulation/model_landing.h"
#include "tests/simulation/plan.h"
#include "tests/support/fake_clock.h"
#include "tests/support/reader/fake_parking.h"
#include "tests/support/reader/fake_source.h"
#include "tests/support/reader/kafka_log.h"
#include "tests/support/reader/memory_projection_store.h"

namespace tidegate::simulation {

class Server {
 public:
  // Both outlive the server.
  Server(const Plan& plan, KafkaModel& kafka, uint64_t seed);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void Turn(std::chrono::nanoseconds duration);
  void KillWorker();
  void KillProjector();
  void KillUnparker();
  // Takes a random partition from both members, which may or may not still commit it, and gives it
  // back.
  void Rebalance();
  void SetDatabaseDown(bool down);
  // The bad tenant's database answers from now on.
  void ReviveDeadDatabase() { landing_.SetDead(""); }
  void LoseDatabaseAnswer() { landing_.LoseNextAnswer(); }

  // All groups have read everything.
  bool caught_up() const;
  // For people: how far they are.
  std::string Waiting() const;
  const reader::MemoryDatabase& database() const { return database_; }
  ModelLanding& landing() { return landing_; }
  const ModelLanding& landing() const { return landing_; }

 private:
  // A member of a group and what it reads from.
  template <typename Member>
  struct Process {
    explicit Process(reader::KafkaLog& log) : source(log) {}
    reader::LogSource source;
    std::optional<Member> member;
  };

  void StartWorker();
  void StartProjector();
  void StartUnparker();
  template <typename Member>
  void AssignAll(Process<Member>& process);
  bool NothingIsParked() const;

  const Plan& plan_;
  KafkaModel& kafka_;
  Random random_;
  reader::Decoder decoder_;
  FakeClock clock_;
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  Metrics registry_;
  reader::ReaderMetrics reader_metrics_{registry_};
  reader::ProjectorMetrics projector_metrics_{registry_};
  reader::StatusBoard board_{3};
  reader::MemoryDatabase database_;
  ModelLanding landing_{database_};
  reader::MemoryProjectionStore positions_{database_};
  reader::MemoryProjectionStore projections_{database_};
  reader::FakeDeadLetters dead_letters_;
  std::unique_ptr<Process<reader::Worker>> worker_;
  std::unique_ptr<Process<reader::Projector>> projector_;
  // What is parked, and who lands it; only with a database for each tenant.
  reader::KafkaLog parked_;
  reader::FakeParking parking_{parked_};
  std::unique_ptr<Process<reader::Unparker>> unparker_;
};

}  // namespace tidegate::simulation
