#include "reader/serve/endpoints.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/json/json.h"

namespace tidegate::reader {

namespace {
void WritePartitions(json::Writer& writer, const std::vector<PartitionLag>& partitions) {
  writer.Key("partitions");
  writer.BeginArray();
  for (const PartitionLag& entry : partitions) {
    writer.BeginObject();
    writer.Key("topic");
    writer.String(entry.partition.topic);
    writer.Key("partition");
    writer.Integer(entry.partition.number);
    writer.Key("lag");
    writer.Integer(entry.messages);
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteMember(json::Writer& writer, const WorkerState& member) {
  writer.BeginObject();
  const auto count = [&](std::string_view name, uint64_t value) {
    writer.Key(name);
    writer.Unsigned(value);
  };
  writer.Key("kafka_up");
  writer.Bool(member.kafka_up);
  writer.Key("database_up");
  writer.Bool(member.database_up);
  writer.Key("trouble");
  writer.String(member.trouble);
  count("in_hand", member.in_hand);
  if (member.role == MemberRole::kLand) {
    count("landed", member.landed);
    count("duplicates", member.duplicates);
    count("dead_letters", member.dead_letters);
  } else {
    count("projected", member.projected);
  }
  WritePartitions(writer, member.partitions);
  writer.EndObject();
}

void WriteMembers(json::Writer& writer, std::string_view name, MemberRole role,
                  const std::vector<WorkerState>& members) {
  writer.Key(name);
  writer.BeginArray();
  for (const WorkerState& member : members)
    if (member.role == role) WriteMember(writer, member);
  writer.EndArray();
}

uint64_t Sum(const std::vector<WorkerState>& workers, uint64_t WorkerState::*member) {
  uint64_t sum = 0;
  for (const WorkerState& worker : workers) sum += worker.*member;
  return sum;
}

void WriteWorkers(const std::string& landing, const std::vector<WorkerState>& workers,
                  json::Writer& writer) {
  writer.Key("landing");
  writer.String(landing);
  writer.Key("landed");
  writer.Unsigned(Sum(workers, &WorkerState::landed));
  writer.Key("duplicates");
  writer.Unsigned(Sum(workers, &WorkerState::duplicates));
  writer.Key("dead_letters");
  writer.Unsigned(Sum(workers, &WorkerState::dead_letters));
  WriteMembers(writer, "workers", MemberRole::kLand, workers);
  writer.Key("projected");
  writer.Unsigned(Sum(workers, &WorkerState::projected));
  WriteMembers(writer, "projectors", MemberRole::kProject, workers);
}
}  // namespace

std::vector<std::string> HealthProblems(const std::vector<WorkerState>& workers, BootTime now) {
  std::vector<std::string> problems;
  for (const WorkerState& worker : workers) {
    if (worker.failed)
      problems.push_back(fmt::format("{} has given up: {}", worker.name, worker.trouble));
    if (!worker.stopped && now - worker.last_turn > kStuckAfter)
      problems.push_back(fmt::format("{} is stuck", worker.name));
  }
  return problems;
}

std::vector<std::string> ReadinessProblems(const std::vector<WorkerState>& workers) {
  std::vector<std::string> problems;
  for (const WorkerState& worker : workers) {
    if (worker.stopped || worker.failed)
      problems.push_back(fmt::format("{} has ended", worker.name));
    if (!worker.kafka_up)
      problems.push_back(fmt::format("{}: no broker is connected", worker.name));
    if (!worker.database_up)
      problems.push_back(fmt::format("{}: the database has not answered", worker.name));
    if (!worker.trouble.empty())
      problems.push_back(fmt::format("{}: {}", worker.name, worker.trouble));
  }
  return problems;
}

http::Response Endpoints::Verdict(const std::vector<std::string>& problems, bool why) const {
  std::string body;
  json::Writer writer(body);
  writer.BeginObject();
  writer.Key("status");
  writer.String(problems.empty() ? "ok" : "unavailable");
  writer.Key("kafka");
  writer.String(kafka_up() ? "up" : "down");
  writer.Key("database");
  writer.String(database_up() ? "up" : "down");
  if (!problems.empty() && why) {
    writer.Key("problems");
    writer.BeginArray();
    for (const std::string& problem : problems) writer.String(problem);
    writer.EndArray();
  }
  writer.EndObject();
  return http::JsonLine(problems.empty() ? 200 : 503, std::move(body));
}

bool Endpoints::kafka_up() const {
  return std::ranges::all_of(board_.Read(), &WorkerState::kafka_up);
}

bool Endpoints::database_up() const {
  return queries_up_ && std::ranges::all_of(board_.Read(), &WorkerState::database_up);
}

std::chrono::seconds Endpoints::uptime() const {
  return std::chrono::duration_cast<std::chrono::seconds>(clock_.SinceBoot() - started_);
}

http::Response Endpoints::Healthz(bool why) const {
  return Verdict(HealthProblems(board_.Read(), clock_.SinceBoot()), why);
}

http::Response Endpoints::Readyz(bool why) const {
  std::vector<std::string> problems = ReadinessProblems(board_.Read());
  if (!queries_up_) problems.emplace_back("queries: the database does not answer");
  return Verdict(problems, why);
}

http::Response Endpoints::MetricsText() const {
  return {.status = 200,
          .content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = metrics_.Text()};
}

http::Response Endpoints::Stats(bool everything, std::string_view counts) const {
  std::string body;
  json::Writer writer(body);
  writer.BeginObject();
  writer.Key("version");
  writer.String(about_.version);
  writer.Key("uptime_seconds");
  writer.Integer(uptime().count());
  if (!counts.empty()) {
    writer.Key("counts");
    writer.Number(counts);  // Copied as it is.
  }
  if (everything) WriteWorkers(about_.landing, board_.Read(), writer);
  writer.EndObject();
  return http::JsonLine(200, std::move(body));
}

}  // namespace tidegate::reader
