#include "tests/reader/project/projection_world.h"

#include <algorithm>

#include "core/time_format.h"
#include "reader/database/document_json.h"

namespace tidegate::reader {

std::string Show(const Projection& projection) {
  // What a batch has decided depends on the batch.
  Object state = projection.state;
  std::erase_if(state.members(), [](const auto& member) { return member.first == "decided"; });
  std::string text = ToJson(projection.members) + ToJson(state);
  for (const auto& [partition, offset] : projection.folded)
    text += " " + partition + "=" + std::to_string(offset);
  return text;
}

Folder::Options FolderOptions() {
  Folder::Options options;
  options.folds.windows = {std::chrono::minutes(1), std::chrono::hours(1)};
  options.folds.rules = {ParseRule("hot", "temperature_c > 50 clear 45 severity critical").value(),
                         ParseRule("long", "humidity >= 80 for 3s tenant acme").value()};
  return options;
}

Result<std::vector<WriteResult>> AlertStore::Write(std::span<const Document> documents) {
  std::vector<WriteResult> results;
  for (const Document& document : documents) {
    const bool is_new = ids_.insert(document.id).second;
    results.push_back({is_new ? WriteOutcome::kLanded : WriteOutcome::kDuplicate, {}});
  }
  return results;
}

World::Reader::Reader(World& world, size_t number)
    : source(world.log_), store(world.database_), documents(world.alerts_) {
  Projector::Options options;
  options.batch_records = 1 + world.Pick(30);
  options.batch_interval = milliseconds(world.Pick(300));
  options.folder = FolderOptions();
  // Either projections are dropped from memory all the time, or those in memory become outdated.
  options.folder.cached = world.Pick(2) ? 5 : 1'000;
  options.folder.changes = options.folder.cached == 5 ? 7 : 1'000;
  store.Intercept([&world, number](bool after) { return world.Meddle(number, after); });
  projector.emplace(options,
                    Projector::Parts{source, store, documents, world.decoder_, world.clock_,
                                     world.log_lines_, world.metrics_, world.board_},
                    number, "projector", 7);
}

void World::Turn() {
  switch (Pick(14)) {
    case 0:
      return Move(false);
    case 1:
    case 2:
    case 8:
      return Move(true);
    case 9:
      return Replay();
    case 3:
      // The hook ends a reader in the middle of its next turns.
      fail_after_ = static_cast<int>(Pick(16));
      return;
    case 4:
    case 5:
    case 6:
      return Write();
    case 7:
      return Land();
    default:
      Run(Pick(2));
  }
}

void World::Converge() {
  fail_after_ = -1;
  quiet_ = true;
  for (const Partition& partition : kAll) LandUpTo(partition, log_.End(partition));
  readers_.clear();
  readers_.resize(2);
  Start(0);
  for (const Partition& partition : kAll) readers_[0]->source.Assign(partition);
  const auto done = [&] {
    return std::ranges::all_of(
        kAll, [&](const Partition& p) { return log_.committed[p] == log_.End(p); });
  };
  for (int turn = 0; turn < 10'000 && !done(); ++turn) Run(0);
  for (const Partition& partition : kAll)
    EXPECT_EQ(log_.committed[partition], log_.End(partition)) << partition.topic;
}

void World::Disturb() {
  quiet_ = false;
  Start(1);
}

void World::LandWhatWasGivenUp() {
  for (const auto& [partition, messages] : log_.partitions)
    for (const SourceMessage& message : messages) Keep(message);
}

std::vector<Event> World::LandAsLetters() {
  std::vector<SourceMessage> messages;
  for (const auto& [partition, all] : log_.partitions)
    messages.insert(messages.end(), all.begin(), all.end());
  std::ranges::shuffle(messages, random_);
  std::vector<Event> letters;
  int64_t offset = 0;
  for (const SourceMessage& message : messages) {
    const size_t before = raw_.size();
    const LetterPlace place{"now", "telemetry.dlq/0", offset++};
    Keep(message, place);
    if (raw_.size() == before) continue;
    letters.push_back(
        {&raw_.at({message.partition, message.offset}), LetterPartition(place), place.offset});
  }
  return letters;
}

void World::WriteAndLandAll() {
  for (int i = 0; i < 10; ++i) Write();
  for (const Partition& partition : kAll) LandUpTo(partition, log_.End(partition));
}

void World::RunFresh(int turns) {
  Start(0);
  for (const Partition& partition : kAll) readers_[0]->source.Assign(partition);
  for (int turn = 0; turn < turns; ++turn) Run(0);
}

std::map<DocumentKey, Projection> World::Recompute(std::set<std::string>& alerts) {
  MemoryDatabase fresh;
  MemoryProjectionStore store(fresh);
  AlertStore alert_store(alerts);
  Folder folder(FolderOptions(), {store, alert_store});
  std::vector<Event> events;
  for (auto& [place, document] : raw_) {
    events.push_back({&document, PartitionName(place.first), place.second});
  }
  EXPECT_TRUE(folder.Fold(events).ok());
  return fresh.projections;
}

uint64_t World::conflicts() const {
  const std::string text = registry_.Text();
  const std::string name = "\ntidegate_reader_projection_conflicts_total ";
  const size_t at = text.find(name);
  return at == std::string::npos ? 0 : std::stoull(text.substr(at + name.size()));
}

void World::Run(size_t number) {
  if (!readers_[number]) return;
  clock_.Advance(milliseconds(1 + Pick(400)));
  busy_ = number;
  EXPECT_TRUE(readers_[number]->projector->Step(milliseconds(0)).ok());
  busy_.reset();
  if (!ended_) return;
  // Killed: its buffered messages are lost, and a new reader begins at the group's offsets.
  ended_ = false;
  ++ends_;
  std::vector<Partition> held;
  for (const Partition& partition : kAll)
    if (readers_[number]->source.Has(partition)) held.push_back(partition);
  Start(number);
  for (const Partition& partition : held) readers_[number]->source.Assign(partition);
}

Status World::Meddle(size_t number, bool after) {
  if (quiet_) return {};
  if (ended_ && busy_ == number) return Error{ErrorCode::kUnavailable, "ended"};
  if (busy_ == number && !nested_ && Pick(3) == 0 && readers_[1 - number]) {
    nested_ = true;
    EXPECT_TRUE(readers_[1 - number]->projector->Step(milliseconds(0)).ok());
    nested_ = false;
  }
  if (nested_ || fail_after_ < 0 || fail_after_-- > 0) return {};
  ended_ = true;
  return Error{ErrorCode::kUnavailable, after ? "ended after it" : "ended before it"};
}

void World::Move(bool overlap) {
  const Partition& partition = kAll[Pick(kAll.size())];
  const size_t from = readers_[0]->source.Has(partition) ? 0 : 1;
  if (!readers_[from]->source.Has(partition)) return;
  if (!overlap) readers_[from]->source.Revoke(partition, Pick(2) == 0);
  if (readers_[1 - from]->source.Has(partition)) {
    if (overlap && Pick(3) > 0) return;  // It takes a while until it knows.
    readers_[from]->source.Revoke(partition, true);
    if (overlap) return;
  }
  if (!readers_[1 - from]->source.Has(partition)) readers_[1 - from]->source.Assign(partition);
}

void World::Replay() {
  const Partition& partition = kAll[Pick(kAll.size())];
  int64_t& committed = log_.committed[partition];
  committed -= static_cast<int64_t>(Pick(static_cast<size_t>(committed) + 1));
  for (auto& reader : readers_) {
    if (!reader->source.Has(partition)) continue;
    reader->source.Revoke(partition, true);
    reader->source.Assign(partition);
  }
}

void World::Write() {
  for (size_t count = 1 + Pick(8); count > 0; --count) WriteOne();
}

void World::WriteOne() {
  // Mostly forwards, sometimes late.
  seconds_ += 1 + static_cast<int64_t>(Pick(20));
  // A clock that is far ahead.
  const int64_t ahead = Pick(30) == 0 ? 300'000'000 : 0;
  const auto time = WallTime(std::chrono::seconds(
      1'750'639'000 + seconds_ + ahead - (Pick(6) == 0 ? static_cast<int64_t>(Pick(200)) : 0)));
  const size_t asset = Pick(4);
  const std::string head = R"({"tenant_id":")" + std::string(asset == 3 ? "beta" : "acme") +
                           R"(","asset_id":"a/)" + std::to_string(asset) + R"(","timestamp":")" +
                           FormatTime(time) + "\"";
  const std::string number = std::to_string(static_cast<double>(Pick(1'000)) / 7);
  const int64_t gap = Pick(10) == 0 ? 2 : 0;
  switch (Pick(6)) {
    case 0:  // An asset's heartbeats come over both partitions.
      return Append(Pick(2) ? kBeats0 : kBeats1, head + R"(,"speed":)" + number, gap);
    case 1:
      return Append(
          asset % 2 ? kReadings0 : kReadings1,
          head + R"(,"temperature_c":)" + number + R"(,"humidity":)" + std::to_string(Pick(100)),
          gap);
    case 2:
      return Append(asset % 2 ? kMachines0 : kMachines1,
                    head + R"(,"failure":)" + (Pick(2) ? "true" : "false") + R"(,"rpm":)" + number,
                    gap);
    case 3:
      return Append(kAlerts0,
                    head + R"(,"rule":"door","status":")" + (Pick(2) ? "raised" : "cleared") +
                        R"(","severity":"info","value":1,"message":"m","raised_at":")" +
                        FormatTime(WallTime(std::chrono::seconds(1'750'639'000 + Pick(5)))) + "\"",
                    gap);
    case 4:
      return Append(kGaps0,
                    head + R"(,"gateway_id":"gw-1","first_seq":1,"last_seq":9,"count":9)" +
                        R"(,"reason":"store full")",
                    gap);
    default:
      // What was sent again, perhaps to another partition, and what is no document.
      if (Pick(3) == 0) return Append(kBeats0, "{poison", gap);
      if (!last_beat_.empty()) Append(Pick(2) ? kBeats0 : kBeats1, last_beat_, gap);
  }
}

void World::Append(const Partition& partition, const std::string& open, int64_t gap) {
  if (partition.topic == kBeats0.topic && open != "{poison") last_beat_ = open;
  log_.Append(partition, open + "}", clock_.Now(), gap);
}

void World::Land() {
  const Partition& partition = kAll[Pick(kAll.size())];
  const int64_t from = database_.positions[PartitionName(partition)];
  const auto left = static_cast<size_t>(log_.End(partition) - from);
  LandUpTo(partition, from + static_cast<int64_t>(Pick(left + 1)));
}

void World::LandUpTo(const Partition& partition, int64_t end) {
  int64_t& position = database_.positions[PartitionName(partition)];
  for (const SourceMessage& message : log_.partitions[partition]) {
    if (message.offset < position || message.offset >= end) continue;
    if (message.offset % 17 != 5) Keep(message);  // Else it is given up.
  }
  position = std::max(position, end);
}

void World::Keep(const SourceMessage& message, std::optional<LetterPlace> letter) {
  auto decoded = decoder_.Decode(message, clock_.Now());
  auto* document = std::get_if<Document>(&decoded);
  if (!document) return;
  document->provenance.dead_letter = std::move(letter);
  const Landed landed{
      message.partition.topic, message.partition.number,         message.offset,
      document->time,          document->provenance.dead_letter, document->provenance.received_at};
  const DocumentKey key{document->ns, document->id};
  if (!database_.landed.emplace(key, landed).second) return;
  database_.bodies[key] = DocumentJson(*document);
  raw_.emplace(std::pair(message.partition, message.offset), std::move(*document));
}

}  // namespace tidegate::reader
