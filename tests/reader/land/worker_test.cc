#include "tests/reader/land/worker_fixture.h"

namespace tidegate::reader {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(WorkerTest, ABatchLandsWhenItsIntervalIsOver) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  Step();
  EXPECT_EQ(store_.count(), 0u);
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
  clock_.Advance(milliseconds(500));
  Step();
  EXPECT_TRUE(store_.Has("acme/truck-1/e1"));
  EXPECT_EQ(source_.stored(kHeartbeats0), 1);
}

TEST_F(WorkerTest, AFullBatchLandsAtOnce) {
  for (int i = 0; i < 10; ++i) source_.PushHeartbeat(kHeartbeats0, std::to_string(i));
  Step();
  EXPECT_EQ(store_.count(), 10u);
  EXPECT_EQ(store_.writes(), 1u);
  EXPECT_EQ(source_.stored(kHeartbeats0), 10);
}

TEST_F(WorkerTest, ABatchOfManyCollectionsWaitsForMoreRecords) {
  options_.batch_records = 20;
  options_.namespace_records = 4;
  options_.sparse_growth = 3;
  const Decoder by_tenant({.tenancy = Tenancy::kDatabase},
                          StreamTable::Make({BuiltInStreams()[0]}).value());
  Worker worker(options_,
                {source_, store_, projections_, dead_letters_, by_tenant, clock_, log_,
                 reader_metrics_, board_},
                0, 7);
  for (int i = 0; i < 70; ++i) {
    source_.Push(kHeartbeats0, R"({"asset_id":"a","event_id":")" + std::to_string(i) +
                                   R"(","tenant_id":"t)" + std::to_string(i % 18) + "\"}");
  }
  ASSERT_TRUE(worker.Step(milliseconds(0)).ok());
  EXPECT_EQ(source_.stored(kHeartbeats0), 60);
}

TEST_F(WorkerTest, ABatchIsBoundedInBytes) {
  options_.batch_bytes = 300;
  for (int i = 0; i < 5; ++i) source_.PushHeartbeat(kHeartbeats0, std::to_string(i));
  Step();
  EXPECT_EQ(store_.count(), 3u);
  EXPECT_EQ(source_.waiting(), 2u);
}

TEST_F(WorkerTest, ABatchIsBoundedInJsonValues) {
  options_.batch_records = 1'000;
  options_.batch_bytes = 100 << 20;
  std::string many = R"({"tenant_id":"acme","asset_id":"a","x":[1)";
  for (int i = 0; i < 15'000; ++i) many += ",1";
  for (int i = 0; i < 20; ++i) source_.Push(kHeartbeats0, many + "]}");
  Step();
  EXPECT_EQ(source_.stored(kHeartbeats0), 14);  // 200,000 values.
}

TEST_F(WorkerTest, DuplicatesAreSuccess) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  source_.PushHeartbeat(kHeartbeats0, "e1");
  StepUntilDue();
  EXPECT_EQ(store_.count(), 1u);
  EXPECT_EQ(source_.stored(kHeartbeats0), 2);
  EXPECT_TRUE(dead_letters_.letters().empty());
  EXPECT_NE(metrics_.Text().find("tidegate_reader_duplicates_total 1"), std::string::npos);
}

TEST_F(WorkerTest, PoisonAmongGoodOnesEndsAloneInTheDeadLetters) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  source_.Push(kHeartbeats0, "{not json", {{"tg-id", "gw:1:7"}});
  source_.Push(kHeartbeats0, std::nullopt);
  source_.PushHeartbeat(kHeartbeats0, "e2");
  store_.Reject("acme/truck-1/e3");
  source_.PushHeartbeat(kHeartbeats0, "e3");
  StepUntilDue();
  EXPECT_EQ(store_.count(), 2u);
  ASSERT_EQ(dead_letters_.letters().size(), 3u);
  const auto& poison = dead_letters_.letters()[0];
  EXPECT_EQ(poison.message.offset, 1);
  EXPECT_EQ(poison.message.value, "{not json");
  EXPECT_EQ(poison.message.headers.front().second, "gw:1:7");
  EXPECT_EQ(poison.refusal.kind, RefusalKind::kJson);
  EXPECT_NE(logged_.find("offset 1: " + Describe(poison.refusal)), std::string::npos) << logged_;
  EXPECT_EQ(dead_letters_.letters()[2].refusal.kind, RefusalKind::kDatabase);
  EXPECT_EQ(source_.stored(kHeartbeats0), 5);
  EXPECT_NE(metrics_.Text().find("processing_errors_total 3"), std::string::npos);
}

TEST_F(WorkerTest, ASaleThatIsNoneIsCountedAmongTheSales) {
  const Partition sales{"sales_txn", 0};
  source_.Assign({sales});
  source_.Push(sales, "no protobuf");
  source_.Push(kHeartbeats0, "no JSON");
  StepUntilDue();
  EXPECT_EQ(dead_letters_.letters().size(), 2u);
  EXPECT_NE(metrics_.Text().find("sales_events_processed_total{status=\"error\"} 1\n"),
            std::string::npos);
}

TEST_F(WorkerTest, AnOutageKeepsTheBatchAndStoresNothing) {
  Step();
  source_.PushHeartbeat(kHeartbeats0, "e1");
  store_.TakeDown();
  StepUntilDue();
  for (int i = 0; i < 50; ++i) StepThroughABackoff();
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
  EXPECT_TRUE(dead_letters_.letters().empty());
  EXPECT_TRUE(source_.paused());
  EXPECT_FALSE(State().trouble.empty());
  EXPECT_FALSE(State().database_up);
  EXPECT_EQ(State().pending, 1u);
}

TEST_F(WorkerTest, PollingGoesOnDuringAnOutage) {
  store_.TakeDown();
  source_.PushHeartbeat(kHeartbeats0, "e1");
  StepUntilDue();
  const size_t polls = source_.polls();
  StepThroughABackoff();
  EXPECT_GE(source_.polls(), polls + 10);
}

TEST_F(WorkerTest, AfterAnOutageTheBatchLandsAndTheRestFollows) {
  store_.TakeDown();
  source_.PushHeartbeat(kHeartbeats0, "e1");
  StepUntilDue();
  source_.PushHeartbeat(kHeartbeats0, "e2");
  StepThroughABackoff();
  EXPECT_EQ(source_.waiting(), 1u);
  store_.Restore();
  StepThroughABackoff();
  EXPECT_FALSE(source_.paused());
  StepThroughABackoff();
  EXPECT_EQ(store_.count(), 2u);
  EXPECT_EQ(source_.stored(kHeartbeats0), 2);
  EXPECT_TRUE(State().trouble.empty());
  EXPECT_TRUE(State().database_up);
}

TEST_F(WorkerTest, ALostAnswerDoublesNothing) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  store_.LoseNextAnswer();
  StepUntilDue();
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
  StepThroughABackoff();
  EXPECT_EQ(store_.count(), 1u);
  EXPECT_EQ(source_.stored(kHeartbeats0), 1);
}

TEST_F(WorkerTest, AConflictIsTriedAgainForThatDocumentAlone) {
  store_.Conflict("acme/truck-1/e2", 2);
  for (const char* id : {"e1", "e2", "e3"}) source_.PushHeartbeat(kHeartbeats0, id);
  StepUntilDue();
  EXPECT_EQ(store_.count(), 2u);
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
  StepThroughABackoff();
  StepThroughABackoff();
  EXPECT_EQ(store_.count(), 3u);
  EXPECT_EQ(source_.stored(kHeartbeats0), 3);
  EXPECT_TRUE(dead_letters_.letters().empty());
  EXPECT_NE(metrics_.Text().find("tidegate_reader_duplicates_total 0"), std::string::npos);
}

TEST_F(WorkerTest, AConflictThatStaysBecomesADeadLetter) {
  store_.Conflict("acme/truck-1/e1", 100);
  source_.PushHeartbeat(kHeartbeats0, "e1");
  StepUntilDue();
  for (int i = 0; i < 3; ++i) StepThroughABackoff();
  ASSERT_EQ(dead_letters_.letters().size(), 1u);
  EXPECT_EQ(dead_letters_.letters()[0].refusal.kind, RefusalKind::kRetries);
  EXPECT_EQ(store_.writes(), 3u);
  EXPECT_EQ(source_.stored(kHeartbeats0), 1);
}

TEST_F(WorkerTest, OffsetsWaitForTheDeadLettersToo) {
  dead_letters_.TakeDown();
  source_.PushHeartbeat(kHeartbeats0, "e1");
  source_.Push(kHeartbeats0, "poison");
  StepUntilDue();
  EXPECT_EQ(store_.count(), 1u);
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
  EXPECT_TRUE(source_.paused());
  dead_letters_.Restore();
  StepThroughABackoff();
  EXPECT_EQ(dead_letters_.letters().size(), 1u);
  EXPECT_EQ(source_.stored(kHeartbeats0), 2);
}

TEST_F(WorkerTest, ADeadLetterThatGotThroughIsNotSentAgain) {
  dead_letters_.TakeDown();
  dead_letters_.LetThrough(1);
  source_.Push(kHeartbeats0, "poison 1");
  source_.Push(kHeartbeats0, "poison 2");
  StepUntilDue();
  dead_letters_.Restore();
  StepThroughABackoff();
  ASSERT_EQ(dead_letters_.letters().size(), 2u);
  EXPECT_EQ(dead_letters_.letters()[1].message.value, "poison 2");
}

TEST_F(WorkerTest, ALetterThatItsTopicRefusesForGoodStopsNothing) {
  dead_letters_.RefuseAll();
  source_.Push(kHeartbeats0, "poison");
  source_.PushHeartbeat(kHeartbeats0, "e1");
  StepUntilDue();
  EXPECT_EQ(source_.stored(kHeartbeats0), 2);
  EXPECT_EQ(State().trouble, "");
  EXPECT_NE(metrics_.Text().find("tidegate_reader_dead_letters_lost_total 1"), std::string::npos);
}

TEST_F(WorkerTest, ALetterNamesTheEpochOfItsLog) {
  memory_.positions[PartitionName(kHeartbeats0)] = 5;
  store_.Reject("acme/truck-1/e1");
  source_.Push(kHeartbeats0, "poison");
  source_.PushHeartbeat(kHeartbeats0, "e1");
  StepUntilDue();
  ASSERT_EQ(dead_letters_.letters().size(), 2u);
  EXPECT_EQ(dead_letters_.letters()[0].epoch, 1);
  EXPECT_EQ(dead_letters_.letters()[1].epoch, 1);
}

TEST_F(WorkerTest, LandingNeedsNoIndexAndRequestsThemOnce) {
  IndexRequests requests;
  Worker worker(options_,
                {source_, store_, projections_, dead_letters_, decoder_, clock_, log_,
                 reader_metrics_, board_, nullptr, nullptr, &requests},
                0, 7);
  for (const char* id : {"e1", "e2"}) {
    source_.PushHeartbeat(kHeartbeats0, id);
    ASSERT_TRUE(worker.Step(milliseconds(0)).ok());
    clock_.Advance(milliseconds(500));
    ASSERT_TRUE(worker.Step(milliseconds(0)).ok());
  }
  EXPECT_EQ(store_.count(), 2u);
  EXPECT_TRUE(store_.indexed().empty());
  EXPECT_EQ(requests.Take(milliseconds(0))->first, (Namespace{"tidegate", "heartbeats"}));
  EXPECT_FALSE(requests.Take(milliseconds(0)));
}

TEST_F(WorkerTest, AnIdleWorkerNoticesThatTheDatabaseWentAndCame) {
  Step();
  store_.TakeDown();
  clock_.Advance(seconds(11));
  Step();
  EXPECT_FALSE(State().database_up);
  store_.Restore();
  clock_.Advance(seconds(11));
  Step();
  EXPECT_TRUE(State().database_up);
}

TEST_F(WorkerTest, AMemberThatCannotGoOnSaysSo) {
  source_.Fail("fenced by another member");
  const Status status = worker().Step(milliseconds(100));
  ASSERT_FALSE(status.ok());
  EXPECT_TRUE(State().failed);
}

// Whatever goes wrong in whatever order: no offset is stored beyond what is landed or published.
TEST_F(WorkerTest, OffsetsAreNeverAheadOfTheLanding) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    FakeSource source;
    FakeDocumentStore store;
    FakeDeadLetters dead_letters;
    source.Assign({kHeartbeats0});
    Worker worker(options_,
                  {source, store, projections_, dead_letters, decoder_, clock_, log_,
                   reader_metrics_, board_},
                  0, seed);
    int64_t pushed = 0;
    for (int turn = 0; turn < 200; ++turn) {
      switch (random() % 10) {
        case 0:
          store.TakeDown();
          break;
        case 1:
          store.LoseNextAnswer();
          break;
        case 2:
          dead_letters.TakeDown();
          break;
        case 3:
          store.Conflict("acme/truck-1/" + std::to_string(pushed), 2);
          break;
        case 4:
          source.Push(kHeartbeats0, "poison " + std::to_string(pushed++));
          break;
        default:
          source.PushHeartbeat(kHeartbeats0, std::to_string(pushed++));
          store.Restore();
          dead_letters.Restore();
      }
      clock_.Advance(milliseconds(random() % 400));
      ASSERT_TRUE(worker.Step(milliseconds(100)).ok());
      std::set<int64_t> accounted;
      for (const auto& letter : dead_letters.letters()) accounted.insert(letter.message.offset);
      for (int64_t offset = 0; offset < source.stored(kHeartbeats0); ++offset) {
        ASSERT_TRUE(accounted.contains(offset) ||
                    store.Has("acme/truck-1/" + std::to_string(offset)))
            << "seed " << seed << " offset " << offset;
      }
    }
    store.Restore();
    dead_letters.Restore();
    for (int i = 0; i < 60; ++i) {
      clock_.Advance(milliseconds(500));
      ASSERT_TRUE(worker.Step(milliseconds(100)).ok());
    }
    EXPECT_EQ(source.stored(kHeartbeats0), pushed) << "seed " << seed;
  }
}

TEST_F(WorkerTest, TheLagInTimeGrowsWhileTheDatabaseIsAway) {
  const auto lag = [&] {
    reader_metrics_.Refresh(clock_.SinceBoot(), clock_.Now(), std::chrono::seconds(1));
    const std::string text = metrics_.Text();
    const size_t at = text.find("kafka_consumer_lag_milliseconds{partition=\"0\"");
    return at == std::string::npos ? -1 : std::stoll(text.substr(text.find("} ", at) + 2));
  };
  source_.PushHeartbeat(kHeartbeats0, "e1");
  clock_.SetWall(WallTime(milliseconds(1'750'639'000'000)));  // When it was written.
  store_.TakeDown();
  Step();
  clock_.Advance(std::chrono::minutes(10));
  Step();
  EXPECT_EQ(lag(), 600'000);
  source_.PushHeartbeat(kHeartbeats0, "e2");  // It stays in Kafka.
  source_.TellLag(kHeartbeats0, 2);
  for (int minutes : {20, 30}) {
    clock_.Advance(std::chrono::minutes(10));
    Step();
    EXPECT_EQ(lag(), minutes * 60'000);
  }
  store_.Restore();
  for (int i = 0; i < 3; ++i) StepThroughABackoff();
  ASSERT_TRUE(store_.Has("acme/truck-1/e2"));
  source_.TellLag(kHeartbeats0, 0);
  Step();
  EXPECT_EQ(lag(), 0);
}

TEST_F(WorkerTest, ADatabaseOfALaterVersionIsLeftAlone) {
  const std::string next = std::to_string(AllMigrations().size() + 1);
  memory_.projections[{{"tidegate", kMigrations}, next}].revision = 1;
  source_.PushHeartbeat(kHeartbeats0, "e1");
  EXPECT_EQ(worker().Step(milliseconds(0)).ok(), true);
  clock_.Advance(milliseconds(500));
  const Status status = worker().Step(milliseconds(0));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kInvalid);
  worker().Stop();
  EXPECT_EQ(store_.count(), 0u);
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
}

}  // namespace
}  // namespace tidegate::reader
