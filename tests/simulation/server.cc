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
    : plan_(plan), kafka_(kafka), random_(seed), decoder_({}, Streams()) {
  const auto reach = [this](bool) -> Status { return landing_.Ping(); };
  positions_.Intercept(reach);
  projections_.Intercept(reach);
  StartWorker();
  StartProjector();
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
                                        decoder_, clock_, log_, reader_metrics_, board_},
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

void Server::Turn(std::chrono::nanoseconds duration) {
  clock_.Advance(duration);
  const auto patience = std::chrono::milliseconds(0);
  CHECK(worker_->member->Step(patience).ok(), "a worker can always go on");
  CHECK(projector_->member->Step(patience).ok(), "a projector can always go on");
}

void Server::KillWorker() {
  StartWorker();
}

void Server::KillProjector() {
  StartProjector();
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

bool Server::caught_up() const {
  return std::ranges::all_of(kafka_.Partitions(), [this](const Partition& partition) {
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
  return text + "; " + board_.Read()[0].trouble + " " + board_.Read()[1].trouble;
}

}  // namespace tidegate::simulation
