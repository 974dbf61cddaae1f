#include "reader/serve/endpoints.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/json/tree.h"

namespace tidegate::reader {

namespace {
void WritePartitions(json::Elements list, const std::vector<PartitionLag>& partitions) {
  for (const PartitionLag& entry : partitions) {
    json::Members members = list.Object();
    members.Text("topic", entry.partition.topic);
    members.Integer("partition", entry.partition.number);
    members.Integer("lag", entry.messages);
  }
}

void WriteMember(json::Members object, const MemberState& member) {
  object.Flag("kafka_up", member.kafka_up);
  object.Flag("database_up", member.database_up);
  object.Text("trouble", member.trouble);
  object.Unsigned("in_hand", member.pending);
  if (member.role == MemberRole::kLand) {
    object.Unsigned("landed", member.landed);
    object.Unsigned("duplicates", member.duplicates);
    object.Unsigned("dead_letters", member.dead_letters);
  } else {
    object.Unsigned("projected", member.projected);
    object.Unsigned("refused_projections", member.refused_projections);
    json::Elements lagging = object.Array("lagging");
    for (const std::string& reason : member.lagging) lagging.Text(reason);
  }
  WritePartitions(object.Array("partitions"), member.partitions);
}

void WriteMembers(json::Elements list, MemberRole role, const std::vector<MemberState>& members) {
  for (const MemberState& member : members)
    if (member.role == role) WriteMember(list.Object(), member);
}

// What concerns single databases or partitions, and not the reader's health as a whole.
std::vector<std::string> Notes(const std::vector<MemberState>& workers) {
  std::vector<std::string> notes;
  for (const MemberState& worker : workers) {
    for (const std::string& reason : worker.lagging)
      notes.push_back(fmt::format("{}: projections lag: {}", worker.name, reason));
    if (worker.refused_projections > 0) {
      notes.push_back(fmt::format("{}: the database refuses {} projections", worker.name,
                                  worker.refused_projections));
    }
    if (worker.logs_begun_anew > 0) {
      notes.push_back(fmt::format("{}: {} partitions were made anew or truncated", worker.name,
                                  worker.logs_begun_anew));
    }
  }
  return notes;
}

uint64_t Sum(const std::vector<MemberState>& workers, uint64_t MemberState::*member) {
  uint64_t sum = 0;
  for (const MemberState& worker : workers) sum += worker.*member;
  return sum;
}

void WriteWorkers(const std::string& landing, const std::vector<MemberState>& workers,
                  json::Members object) {
  object.Text("landing", landing);
  object.Unsigned("landed", Sum(workers, &MemberState::landed));
  object.Unsigned("duplicates", Sum(workers, &MemberState::duplicates));
  object.Unsigned("dead_letters", Sum(workers, &MemberState::dead_letters));
  WriteMembers(object.Array("workers"), MemberRole::kLand, workers);
  object.Unsigned("projected", Sum(workers, &MemberState::projected));
  WriteMembers(object.Array("projectors"), MemberRole::kProject, workers);
}
}  // namespace

bool IsStuck(const MemberState& member, BootTime now) {
  return !member.stopped && member.role != MemberRole::kUpkeep &&
         now - member.last_turn > kStuckAfter;
}

std::vector<std::string> HealthProblems(const std::vector<MemberState>& workers, BootTime now) {
  std::vector<std::string> problems;
  for (const MemberState& worker : workers) {
    if (worker.failed)
      problems.push_back(fmt::format("{} has given up: {}", worker.name, worker.trouble));
    if (IsStuck(worker, now)) problems.push_back(fmt::format("{} is stuck", worker.name));
  }
  return problems;
}

std::vector<std::string> ReadinessProblems(const std::vector<MemberState>& workers) {
  std::vector<std::string> problems;
  for (const MemberState& worker : workers) {
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

std::set<std::string> ParkedLanes(const std::vector<MemberState>& members) {
  std::set<std::string> lanes;
  for (const MemberState& member : members)
    lanes.insert(member.parked.begin(), member.parked.end());
  return lanes;
}

http::Response Endpoints::Verdict(const std::vector<std::string>& problems, bool why) const {
  json::Tree body;
  json::Members members = body.members();
  members.Text("status", problems.empty() ? "ok" : "unavailable");
  members.Text("kafka", kafka_up() ? "up" : "down");
  members.Text("database", database_up() ? "up" : "down");
  if (!problems.empty() && why) {
    json::Elements list = members.Array("problems");
    for (const std::string& problem : problems) list.Text(problem);
  }
  if (const auto parked = ParkedLanes(board_.Read()); !parked.empty() && why) {
    json::Elements list = members.Array("parked");
    for (const std::string& lane : parked) list.Text(lane);
  }
  const std::vector<std::string> notes = why ? Notes(board_.Read()) : std::vector<std::string>();
  if (!notes.empty()) {
    json::Elements list = members.Array("notes");
    for (const std::string& note : notes) list.Text(note);
  }
  return http::JsonLine(problems.empty() ? 200 : 503, body.Print());
}

bool Endpoints::kafka_up() const {
  return std::ranges::all_of(board_.Read(), &MemberState::kafka_up);
}

bool Endpoints::database_up() const {
  return queries_up_ && std::ranges::all_of(board_.Read(), &MemberState::database_up);
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

http::Response Endpoints::Stats(bool everything, const std::string& counts) const {
  json::Tree body;
  json::Members members = body.members();
  members.Text("version", about_.version);
  members.Integer("uptime_seconds", uptime().count());
  if (!counts.empty()) members.Raw("counts", counts);
  if (everything) WriteWorkers(about_.landing, board_.Read(), members);
  return http::JsonLine(200, body.Print());
}

}  // namespace tidegate::reader
