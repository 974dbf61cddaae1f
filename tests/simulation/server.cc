#include "tests/simulation/server.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/check.h"
#include "core/rules/rules.h"

namespace tidegate::simulation {

using namespace reader;

namespace {

// The built-in streams, with heartbeats in a topic for each tenant.
StreamTable Streams() {
  std::vector<Stream> streams;
  for (Stream stream : BuiltInStreams()) {
    if (!IsFollowedByDefault(stream)) continue;
    if (stream.kind == StreamKind::kHeartbeat) stream.topic = kHeartbeatTopic;
    streams.push_back(std::move(stream));
  }
  return StreamTable::Make(std::move(streams)).value();
}

}  // namespace

Server::Server(const Plan& plan, KafkaModel& kafka, uint64_t seed)
    : plan_(plan),
      kafka_(kafka),
      random_(seed),
      decoder_({.tenancy = plan.database_per_tenant ? Tenancy::kDatabase : Tenancy::kShared},
               Streams()) {
  if (plan.Has(Neighbour::kDeadDatabase)) landing_.SetDead("tidegate_bad");
  const auto reach = [this](bool) -> Status { return landing_.Ping(); };
  positions_.Intercept(reach);
  projections_.Intercept(reach);
  const auto reach_one = [this](const std::string& database) { return landing_.Reach(database); };
  positions_.InterceptDatabase(reach_one);
  projections_.InterceptDatabase(reach_one);
  StartWorker();
  StartProjector();
  if (plan.database_per_tenant) StartUnparker();
}

Server::~Server() = default;

template <typename Member>
void Server::AssignAll(Process<Member>& process) {
  for (const Partition& partition : kafka_.Partitions()) process.source.Assign(partition);
}

void Server::StartWorker() {
  worker_ = std::make_unique<Process<Worker>>(kafka_.landing());
  worker_->member.emplace(plan_.worker,
                          Worker::Parts{worker_->source, landing_, positions_, dead_letters_,
                                        decoder_, clock_, log_, reader_metrics_, board_, nullptr,
                                        plan_.database_per_tenant ? &parking_ : nullptr},
                          0, plan_.seed);
  AssignAll(*worker_);
}

void Server::StartProjector() {
  projector_ = std::make_unique<Process<Projector>>(kafka_.projecting());
  projector_->member.emplace(plan_.projector,
                             Projector::Parts{projector_->source, projections_, landing_, decoder_,
                                              clock_, log_, projector_metrics_, board_},
                             1, "projector", plan_.seed);
  AssignAll(*projector_);
}

void Server::StartUnparker() {
  unparker_ = std::make_unique<Process<Unparker>>(parked_);
  unparker_->member.emplace(
      plan_.unparker,
      Unparker::Parts{unparker_->source, landing_, projections_, dead_letters_, decoder_, clock_,
                      log_, reader_metrics_, board_},
      2);
  for (int32_t number = 0; number < 2; ++number)
    unparker_->source.Assign({"telemetry.parked", number});
}

void Server::Turn(std::chrono::nanoseconds duration) {
  clock_.Advance(duration);
  const auto patience = std::chrono::milliseconds(0);
  CHECK(worker_->member->Step(patience).ok(), "a worker can always go on");
  CHECK(projector_->member->Step(patience).ok(), "a projector can always go on");
  if (unparker_) CHECK(unparker_->member->Step(patience).ok(), "an unparker can always go on");
}

void Server::KillWorker() {
  StartWorker();
}

void Server::KillProjector() {
  StartProjector();
}

void Server::KillUnparker() {
  if (unparker_) StartUnparker();
}

void Server::Rebalance() {
  const std::vector<Partition> partitions = kafka_.Partitions();
  const Partition& partition = partitions[random_.Below(partitions.size())];
  const bool lost = random_.Coin();
  worker_->source.Revoke(partition, lost);
  worker_->source.Assign(partition);
  projector_->source.Revoke(partition, lost);
  projector_->source.Assign(partition);
}

void Server::SetDatabaseDown(bool down) {
  landing_.SetDown(down);
}

bool Server::NothingIsParked() const {
  return std::ranges::all_of(parked_.partitions, [this](const auto& entry) {
    const auto committed = parked_.committed.find(entry.first);
    return committed != parked_.committed.end() && committed->second == parked_.End(entry.first);
  });
}

bool Server::caught_up() const {
  return NothingIsParked() &&
         std::ranges::all_of(kafka_.Partitions(), [this](const Partition& partition) {
           KafkaLog& landing = kafka_.landing();
           KafkaLog& projecting = kafka_.projecting();
           return landing.committed[partition] == landing.End(partition) &&
                  projecting.committed[partition] == projecting.End(partition);
         });
}

std::string Server::Waiting() const {
  std::string text = fmt::format("{} landed", landing_.landed());
  for (const Partition& partition : kafka_.Partitions()) {
    const int64_t end = kafka_.landing().End(partition);
    const int64_t landed = kafka_.landing().committed[partition];
    const int64_t projected = kafka_.projecting().committed[partition];
    if (landed != end || projected != end)
      text += fmt::format("; {}: {} landed, {} projected of {}", PartitionName(partition), landed,
                          projected, end);
  }
  if (!NothingIsParked()) text += fmt::format("; some of {} parked", parking_.parked());
  return text + "; " + board_.Read()[0].trouble + " " + board_.Read()[1].trouble;
}

}  // namespace tidegate::simulation
