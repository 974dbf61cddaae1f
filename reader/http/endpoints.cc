#include "reader/http/endpoints.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/json/json.h"

namespace tidegate::reader {

namespace {
http::Response Json(int status, std::string body) {
  body += '\n';
  return {.status = status, .content_type = "application/json", .body = std::move(body)};
}

// `up` and 200, or 503 with the reasons.
http::Response Verdict(const std::vector<std::string>& problems,
                       const std::vector<WorkerState>& workers) {
  const auto all = [&](bool WorkerState::*member) {
    return std::ranges::all_of(workers, [&](const WorkerState& worker) { return worker.*member; });
  };
  std::string body;
  json::Writer writer(body);
  writer.BeginObject();
  writer.Key("status");
  writer.String(problems.empty() ? "ok" : "unavailable");
  writer.Key("kafka");
  writer.String(all(&WorkerState::kafka_up) ? "up" : "down");
  writer.Key("database");
  writer.String(all(&WorkerState::database_up) ? "up" : "down");
  if (!problems.empty()) {
    writer.Key("problems");
    writer.BeginArray();
    for (const std::string& problem : problems) writer.String(problem);
    writer.EndArray();
  }
  writer.EndObject();
  return Json(problems.empty() ? 200 : 503, std::move(body));
}

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

void WriteWorker(json::Writer& writer, const WorkerState& worker) {
  writer.BeginObject();
  const auto flag = [&](std::string_view name, bool value) {
    writer.Key(name);
    writer.Bool(value);
  };
  const auto count = [&](std::string_view name, uint64_t value) {
    writer.Key(name);
    writer.Unsigned(value);
  };
  flag("kafka_up", worker.kafka_up);
  flag("database_up", worker.database_up);
  writer.Key("trouble");
  writer.String(worker.trouble);
  count("in_hand", worker.in_hand);
  count("landed", worker.landed);
  count("duplicates", worker.duplicates);
  count("dead_letters", worker.dead_letters);
  WritePartitions(writer, worker.partitions);
  writer.EndObject();
}

void WriteProjector(json::Writer& writer, const WorkerState& projector) {
  writer.BeginObject();
  writer.Key("kafka_up");
  writer.Bool(projector.kafka_up);
  writer.Key("database_up");
  writer.Bool(projector.database_up);
  writer.Key("trouble");
  writer.String(projector.trouble);
  writer.Key("in_hand");
  writer.Unsigned(projector.in_hand);
  writer.Key("projected");
  writer.Unsigned(projector.projected);
  WritePartitions(writer, projector.partitions);
  writer.EndObject();
}

uint64_t Sum(const std::vector<WorkerState>& workers, uint64_t WorkerState::*member) {
  uint64_t sum = 0;
  for (const WorkerState& worker : workers) sum += worker.*member;
  return sum;
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

http::Response Endpoints::Answer(const http::Request& request) const {
  if (request.method != "GET") return Json(405, R"({"error":"only GET is answered here"})");
  if (request.path == "/metrics") {
    return {.status = 200,
            .content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = metrics_.Text()};
  }
  if (request.path == "/stats") return Stats();
  const std::vector<WorkerState> workers = board_.Read();
  if (request.path == "/healthz")
    return Verdict(HealthProblems(workers, clock_.SinceBoot()), workers);
  if (request.path == "/readyz" || request.path == "/health")
    return Verdict(ReadinessProblems(workers), workers);
  return Json(404, R"({"error":"there are /metrics /healthz /readyz /health /stats"})");
}

http::Response Endpoints::Stats() const {
  const std::vector<WorkerState> workers = board_.Read();
  std::string body;
  json::Writer writer(body);
  writer.BeginObject();
  writer.Key("version");
  writer.String(about_.version);
  writer.Key("uptime_seconds");
  writer.Integer(
      std::chrono::duration_cast<std::chrono::seconds>(clock_.SinceBoot() - started_).count());
  writer.Key("landing");
  writer.String(about_.landing);
  writer.Key("landed");
  writer.Unsigned(Sum(workers, &WorkerState::landed));
  writer.Key("duplicates");
  writer.Unsigned(Sum(workers, &WorkerState::duplicates));
  writer.Key("dead_letters");
  writer.Unsigned(Sum(workers, &WorkerState::dead_letters));
  writer.Key("workers");
  writer.BeginArray();
  for (const WorkerState& worker : workers)
    if (worker.role == MemberRole::kLand) WriteWorker(writer, worker);
  writer.EndArray();
  writer.Key("projected");
  writer.Unsigned(Sum(workers, &WorkerState::projected));
  writer.Key("projectors");
  writer.BeginArray();
  for (const WorkerState& worker : workers)
    if (worker.role == MemberRole::kProject) WriteProjector(writer, worker);
  writer.EndArray();
  writer.EndObject();
  return Json(200, std::move(body));
}

}  // namespace tidegate::reader
