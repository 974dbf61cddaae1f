#include "reader/database/routed/fanned_store.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <optional>
#include <thread>

#include "tests/support/reader/fake_document_store.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

using std::chrono::seconds;

// A clock that several threads read while another one moves it.
class SharedClock final : public Clock {
 public:
  WallTime Now() const override { return {}; }
  BootTime SinceBoot() const override { return BootTime(now_); }
  bool Synced() const override { return true; }
  const std::string& BootId() const override { return boot_; }
  void Advance(BootTime time) { now_ += time.count(); }

 private:
  std::atomic<BootTime::rep> now_{1};
  std::string boot_;
};

class FannedStoreTest : public testing::Test {
 protected:
  FannedStoreTest() {
    FannedStore::Server common;
    for (int i = 0; i < 3; ++i) common.stores.push_back(Open(common_[static_cast<size_t>(i)]));
    FannedStore::Servers own;
    own["fleet_own"].stores.push_back(Open(own_));
    store_.emplace(std::move(common), std::move(own), &clock_);
  }
  std::vector<WriteOutcome> Write(const std::vector<std::pair<std::string, std::string>>& what) {
    std::vector<Document> documents;
    for (const auto& [database, id] : what)
      documents.push_back(MakeDocument(id, R"({"asset_id":"a"})", {database, "heartbeats"}));
    const auto results = store_->Write(documents);
    std::vector<WriteOutcome> outcomes;
    for (const WriteResult& result : results.value()) outcomes.push_back(result.outcome);
    return outcomes;
  }
  size_t common_count() const {
    return common_[0]->count() + common_[1]->count() + common_[2]->count();
  }

  SharedClock clock_;
  std::array<FakeDocumentStore*, 3> common_{};
  FakeDocumentStore* own_ = nullptr;
  std::optional<FannedStore> store_;

 private:
  static std::unique_ptr<DocumentStore> Open(FakeDocumentStore*& place) {
    auto store = std::make_unique<FakeDocumentStore>();
    place = store.get();
    return store;
  }
};

constexpr WriteOutcome kLanded = WriteOutcome::kLanded;
constexpr WriteOutcome kUnavailable = WriteOutcome::kUnavailable;

TEST_F(FannedStoreTest, DocumentsOfManyNamespacesLandOnceEach) {
  std::vector<std::pair<std::string, std::string>> what;
  for (int i = 0; i < 100; ++i)
    what.emplace_back(i % 10 == 0 ? "fleet_own" : "fleet_" + std::to_string(i), std::to_string(i));
  EXPECT_EQ(Write(what), std::vector<WriteOutcome>(100, kLanded));
  EXPECT_EQ(own_->count(), 10u);
  EXPECT_EQ(common_count(), 90u);
}

TEST_F(FannedStoreTest, AServerThatIsAwayCostsItsDocumentsAlone) {
  own_->TakeDown();
  EXPECT_EQ(Write({{"fleet_a", "1"}, {"fleet_own", "2"}, {"fleet_b", "3"}}),
            (std::vector{kLanded, kUnavailable, kLanded}));
  EXPECT_TRUE(store_->Ping().ok());
}

TEST_F(FannedStoreTest, ADatabaseThatFailsIsTriedOnceInACall) {
  for (FakeDocumentStore* store : common_) store->TakeDown("fleet_a");
  EXPECT_EQ(Write({{"fleet_a", "1"}, {"fleet_b", "2"}, {"fleet_a", "3"}}),
            (std::vector{kUnavailable, kLanded, kUnavailable}));
}

TEST_F(FannedStoreTest, AServerForWhichOthersWaitedIsLeftOutForAWhile) {
  std::atomic<bool> others_wrote{false};
  common_[0]->OnWrite([&] { others_wrote = true; });
  own_->OnWrite([&] {
    while (!others_wrote) std::this_thread::yield();
    for (int i = 0; i < 1'000; ++i) std::this_thread::yield();
    clock_.Advance(seconds(3));
  });
  // The common server has ended before in nearly every call.
  const std::vector left_out{kLanded, kUnavailable};
  int calls = 0;
  const auto next = [&] {
    others_wrote = false;
    ++calls;
    const std::string id = std::to_string(calls);
    return Write({{"fleet_a", "a" + id}, {"fleet_own", "b" + id}});
  };
  while (next() != left_out) ASSERT_LT(calls, 1'000);
  const size_t before = own_->count();
  clock_.Advance(seconds(29));
  EXPECT_EQ(next(), left_out);
  EXPECT_EQ(own_->count(), before);
  clock_.Advance(seconds(2));
  next();
  EXPECT_EQ(own_->count(), before + 1);
}

TEST_F(FannedStoreTest, AServerThatIsSlowAloneIsNotLeftOut) {
  own_->OnWrite([this] { clock_.Advance(seconds(3)); });
  for (const char* id : {"1", "2"}) EXPECT_EQ(Write({{"fleet_own", id}}), (std::vector{kLanded}));
}

TEST_F(FannedStoreTest, AFilesDocumentsAreOneTransaction) {
  FannedStore::Server file;
  auto opened = std::make_unique<FakeDocumentStore>();
  FakeDocumentStore* store = opened.get();
  file.stores.push_back(std::move(opened));
  file.by_namespace = false;
  store_.emplace(std::move(file), FannedStore::Servers(), nullptr);
  EXPECT_EQ(Write({{"fleet_a", "1"}, {"fleet_b", "2"}, {"fleet_c", "3"}}),
            (std::vector{kLanded, kLanded, kLanded}));
  EXPECT_EQ(store->writes(), 1u);
  store->TakeDown();
  EXPECT_EQ(Write({{"fleet_a", "4"}, {"fleet_b", "5"}}), (std::vector{kUnavailable, kUnavailable}));
}

}  // namespace
}  // namespace tidegate::reader
