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
  writer.Key("workers");
  writer.BeginArray();
  for (const WorkerState& worker : workers) WriteWorker(writer, worker);
  writer.EndArray();
}
}  // namespace

std::vector<std::string> HealthProblems(const std::vector<WorkerState>& workers, BootTime now) {
  std::vector<std::string> problems;
  for (size_t i = 0; i < workers.size(); ++i) {
    if (workers[i].failed)
      problems.push_back(fmt::format("worker {} has given up: {}", i, workers[i].trouble));
    if (!workers[i].stopped && now - workers[i].last_turn > kStuckAfter)
      problems.push_back(fmt::format("worker {} is stuck", i));
  }
  return problems;
}

std::vector<std::string> ReadinessProblems(const std::vector<WorkerState>& workers) {
  std::vector<std::string> problems;
  for (size_t i = 0; i < workers.size(); ++i) {
    const WorkerState& worker = workers[i];
    if (worker.stopped || worker.failed) problems.push_back(fmt::format("worker {} has ended", i));
    if (!worker.kafka_up) problems.push_back(fmt::format("worker {}: no broker is connected", i));
    if (!worker.database_up)
      problems.push_back(fmt::format("worker {}: the database has not answered", i));
    if (!worker.trouble.empty())
      problems.push_back(fmt::format("worker {}: {}", i, worker.trouble));
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
  return Json(problems.empty() ? 200 : 503, std::move(body));
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
  return Json(200, std::move(body));
}

}  // namespace tidegate::reader
