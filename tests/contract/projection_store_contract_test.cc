// The contract of projection_store.h, on SQLite, in memory, and on MongoDB's store with the stub;
// also on a MongoDB server if TIDEGATE_TEST_MONGO_URL names one, in databases whose names begin
// with tidegate_contract_.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "reader/database/document_json.h"
#include "reader/database/mongo/mongo_landing.h"
#include "reader/database/sqlite/sqlite_projections.h"
#include "reader/database/sqlite/sqlite_store.h"
#include "tests/support/mongo_stub/mongo_stub.h"
#include "tests/support/reader/memory_projection_store.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

constexpr WallTime kNow{std::chrono::milliseconds(1'750'639'021'000)};

// A database on which several stores can be opened.
class Place {
 public:
  virtual ~Place() = default;
  virtual std::unique_ptr<ProjectionStore> Open() = 0;
  virtual void Land(Document document) = 0;
};

void Write(DocumentStore& store, Document document) {
  std::vector<Document> one;
  one.push_back(std::move(document));
  ASSERT_TRUE(store.Write(one).ok());
}

class SqlitePlace final : public Place {
 public:
  std::unique_ptr<ProjectionStore> Open() override {
    return SqliteProjections::Open({.path = folder_.File("landing.db")}).value();
  }
  void Land(Document document) override {
    Write(*SqliteStore::Open({.path = folder_.File("landing.db")}).value(), std::move(document));
  }

 private:
  TemporaryFolder folder_;
};

class MongoPlace final : public Place {
 public:
  explicit MongoPlace(const char* uri) : landing_(OpenMongoLanding(uri, {}).value()) {}
  std::unique_ptr<ProjectionStore> Open() override { return landing_->NewProjections().value(); }
  void Land(Document document) override {
    Write(*landing_->NewStore(log_).value(), std::move(document));
  }

 private:
  Log log_;
  std::unique_ptr<Landing> landing_;
};

class MemoryPlace final : public Place {
 public:
  std::unique_ptr<ProjectionStore> Open() override {
    return std::make_unique<MemoryProjectionStore>(database_);
  }
  void Land(Document document) override {
    const Provenance& from = document.provenance;
    database_.landed[{document.ns, document.id}] = {from.topic, from.partition, from.offset,
                                                    document.time, from.dead_letter};
    database_.bodies[{document.ns, document.id}] = DocumentJson(document);
  }

 private:
  MemoryDatabase database_;
};

class ProjectionStoreContract : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const char* uri = std::getenv("TIDEGATE_TEST_MONGO_URL");
    if (GetParam() == "Mongo" && !uri)
      GTEST_SKIP() << "mongo: TIDEGATE_TEST_MONGO_URL names no server";
    if (GetParam() == "Mongo") place_ = std::make_unique<MongoPlace>(uri);
    if (GetParam() == "Stub") {
      stub_ = mongo_stub::MongoStub::Start({}).value();
      place_ = std::make_unique<MongoPlace>(stub_->uri().c_str());
    }
    if (GetParam() == "Sqlite") place_ = std::make_unique<SqlitePlace>();
    if (GetParam() == "Memory") place_ = std::make_unique<MemoryPlace>();
    store_ = place_->Open();
    database_ = "tidegate_contract_" + std::to_string(::getpid()) + "_" +
                std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());
  }

  DocumentKey Key(std::string id, std::string collection = "assets") {
    return {{database_, std::move(collection)}, std::move(id)};
  }
  Projection Load(const DocumentKey& key) {
    auto loaded = store_->Load(std::span(&key, 1));
    EXPECT_TRUE(loaded.ok()) << (loaded.ok() ? "" : loaded.error().message);
    return loaded.ok() ? loaded->front() : Projection{};
  }
  SaveOutcome Save(const Projection& projection) { return SaveAll({projection}).front(); }
  std::vector<SaveOutcome> SaveAll(const std::vector<Projection>& projections) {
    auto saved = store_->Save(projections);
    EXPECT_TRUE(saved.ok()) << (saved.ok() ? "" : saved.error().message);
    return saved.ok() ? *saved : std::vector<SaveOutcome>(projections.size());
  }

  std::unique_ptr<mongo_stub::MongoStub> stub_;
  std::unique_ptr<Place> place_;
  std::unique_ptr<ProjectionStore> store_;
  std::string database_;
};

using enum SaveOutcome;

TEST_P(ProjectionStoreContract, WhatIsNotThereLoadsAsNew) {
  const Projection projection = Load(Key("acme/truck-1"));
  EXPECT_EQ(projection.key, Key("acme/truck-1"));
  EXPECT_EQ(projection.revision, 0);
  EXPECT_TRUE(projection.members.members().empty());
}

TEST_P(ProjectionStoreContract, WhatIsSavedComesBackWithTheNextRevision) {
  Projection projection = Load(Key("acme/truck-1"));
  projection.members["tenant_id"].is = "acme";
  projection.members["count"].is = int64_t{5'000'000'000};
  projection.members["sum"].is = 0.1;
  projection.members["first_seen"].is = kNow;
  projection.members["ended_at"].is = nullptr;
  projection.members["active"].is = true;
  projection.members["ids"].is = Array{{"a"}, {"b"}};
  projection.members.Child("last").Child("location")["latitude"].is = 40.7128;
  projection.state.Child("sums")["telemetry.raw/0"].is = 0.25;
  projection.folded = {{"telemetry.raw/0", 17}, {"$odd.topic/1", 0}};
  EXPECT_EQ(Save(projection), kSaved);
  Projection loaded = Load(projection.key);
  EXPECT_EQ(loaded.revision, 1);
  EXPECT_EQ(loaded.folded, projection.folded);
  EXPECT_EQ(loaded.members.Time("first_seen"), kNow);
  EXPECT_EQ(ToJson(loaded.members), ToJson(projection.members));
  EXPECT_EQ(ToJson(loaded.state), ToJson(projection.state));
}

TEST_P(ProjectionStoreContract, ASaveFromAnOldRevisionIsAConflictAndChangesNothing) {
  Projection first = Load(Key("a"));
  Projection second = first;
  first.members["n"].is = int64_t{1};
  second.members["n"].is = int64_t{2};
  EXPECT_EQ(Save(first), kSaved);
  EXPECT_EQ(Save(second), kConflict);
  second.revision = 1;
  EXPECT_EQ(Save(second), kSaved);
  EXPECT_EQ(Save(second), kConflict);
  EXPECT_EQ(Load(first.key).members.Integer("n"), 2);
  EXPECT_EQ(Load(first.key).revision, 2);
}

TEST_P(ProjectionStoreContract, AmongManyOnlyTheOvertakenAreConflicts) {
  std::vector<Projection> many;
  for (int i = 0; i < 2'100; ++i) many.push_back({.key = Key(std::to_string(i))});
  many.push_back({.key = Key("0", "failures")});
  Save(many[3]);
  Save(many[2'050]);
  const std::vector<SaveOutcome> outcomes = SaveAll(many);
  ASSERT_EQ(outcomes.size(), many.size());
  for (size_t i = 0; i < outcomes.size(); ++i)
    EXPECT_EQ(outcomes[i], i == 3 || i == 2'050 ? kConflict : kSaved) << i;
}

TEST_P(ProjectionStoreContract, ManyLoadInTheirOrder) {
  std::vector<Projection> many;
  std::vector<DocumentKey> keys;
  for (int i = 0; i < 2'100; ++i) {
    many.push_back({.key = Key(std::to_string(i))});
    many.back().members["n"].is = int64_t{i};
  }
  SaveAll(many);
  for (auto item = many.rbegin(); item != many.rend(); ++item) keys.push_back(item->key);
  keys.insert(keys.begin() + 7, Key("nothing"));
  auto loaded = store_->Load(keys);
  ASSERT_TRUE(loaded.ok());
  ASSERT_EQ(loaded->size(), keys.size());
  for (size_t i = 0; i < keys.size(); ++i) EXPECT_EQ((*loaded)[i].key, keys[i]);
  EXPECT_EQ((*loaded)[7].revision, 0);
  EXPECT_EQ((*loaded)[0].members.Integer("n"), 2'099);
}

TEST_P(ProjectionStoreContract, AnotherStoreSeesWhatThisOneSaved) {
  auto other = place_->Open();
  Save(Load(Key("a")));
  auto loaded = other->Load(std::vector{Key("a")});
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->front().revision, 1);
}

TEST_P(ProjectionStoreContract, ALandedDocumentTellsWhereItCameFrom) {
  place_->Land(MakeDocument("acme/truck-1/e1", R"({"timestamp":"2025-06-23T00:37:01.000Z"})",
                            {database_, "heartbeats"}));
  auto landed = store_->FindLanded(
      std::vector{Key("missing", "heartbeats"), Key("acme/truck-1/e1", "heartbeats")});
  ASSERT_TRUE(landed.ok()) << landed.error().message;
  EXPECT_FALSE((*landed)[0]);
  ASSERT_TRUE((*landed)[1]);
  EXPECT_EQ((*landed)[1]->topic, "telematics.raw.telematics_heartbeat");
  EXPECT_EQ((*landed)[1]->partition, 2);
  EXPECT_EQ((*landed)[1]->offset, 5'000'000'000);
  EXPECT_EQ((*landed)[1]->time, kNow);
  EXPECT_FALSE((*landed)[1]->dead_letter);
}

TEST_P(ProjectionStoreContract, ADocumentThatAReplayHasLandedNamesItsLetter) {
  Document document = MakeDocument("acme/truck-1/e1", "{}", {database_, "heartbeats"});
  const LetterPlace letter{"2025-06-23T00:37:01.000Z", "telemetry.dlq/1", 5'000'000'001};
  document.provenance.dead_letter = letter;
  place_->Land(std::move(document));
  auto landed = store_->FindLanded(std::vector{Key("acme/truck-1/e1", "heartbeats")});
  ASSERT_TRUE(landed.ok()) << landed.error().message;
  ASSERT_TRUE((*landed)[0]);
  EXPECT_EQ((*landed)[0]->dead_letter, letter);
}

TEST_P(ProjectionStoreContract, PositionsOnlyMoveForward) {
  const std::vector<std::string> partitions{"t/0", "t/1", "t/2"};
  ASSERT_TRUE(store_->WritePositions(database_, {{"t/0", 7}, {"t/1", 3}}, kNow).ok());
  ASSERT_TRUE(store_->WritePositions(database_, {{"t/0", 5}, {"t/1", 4}}, kNow).ok());
  auto positions = store_->ReadPositions(database_, partitions);
  ASSERT_TRUE(positions.ok()) << positions.error().message;
  EXPECT_EQ(*positions, (Offsets{{"t/0", 7}, {"t/1", 4}}));
}

TEST_P(ProjectionStoreContract, LandedDocumentsAreReadByPartitionAndOffset) {
  const auto land = [&](const std::string& id, const std::string& topic, int partition,
                        int64_t offset) {
    Document document = MakeDocument(id, R"({"timestamp":"2025-06-23T00:37:01.000Z","n":1.5})",
                                     {database_, "heartbeats"});
    document.provenance.topic = topic;
    document.provenance.partition = partition;
    document.provenance.offset = offset;
    place_->Land(std::move(document));
  };
  land("a", "t", 10, 5);
  land("b", "t", 9, 10);
  land("c", "t", 9, 9);
  land("d", "s", 11, 3);
  std::vector<std::string> ids;
  const Status status = store_->EachLanded({database_, "heartbeats"}, [&](std::string_view text) {
    const auto document = json::Document::Parse(std::string(text)).value();
    ids.emplace_back(document.root().Find("_id")->as_string());
    EXPECT_EQ(document.root().Find("timestamp")->as_string(), "2025-06-23T00:37:01.000Z");
    EXPECT_EQ(document.root().Find("n")->as_number(), 1.5);
    EXPECT_TRUE(document.root().Find("tidegate")->Find("topic"));
    return Status();
  });
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(ids, (std::vector<std::string>{"d", "c", "b", "a"}));
  const auto stop = [&](std::string_view) { return Status(Error{ErrorCode::kInvalid, "enough"}); };
  EXPECT_EQ(store_->EachLanded({database_, "heartbeats"}, stop).error().message, "enough");
  EXPECT_TRUE(store_->EachLanded({database_, "nothing"}, stop).ok());
}

TEST_P(ProjectionStoreContract, WhatIsClearedIsNew) {
  Save(Load(Key("a")));
  Save(Load(Key("b", "failures")));
  ASSERT_TRUE(store_->Clear({database_, "assets"}).ok());
  ASSERT_TRUE(store_->Clear({database_, "assets"}).ok()) << "nothing is there";
  EXPECT_EQ(Load(Key("a")).revision, 0);
  EXPECT_EQ(Load(Key("b", "failures")).revision, 1);
  EXPECT_EQ(Save(Load(Key("a"))), kSaved);
}

INSTANTIATE_TEST_SUITE_P(Places, ProjectionStoreContract,
                         testing::Values("Memory", "Sqlite", "Stub", "Mongo"),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace tidegate::reader
