// The threads of the running reader, on fakes: it starts, answers HTTP, and stops on a signal.
#include "reader/service.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <thread>

#include "tests/support/reader/fake_document_store.h"
#include "tests/support/reader/fake_query_store.h"
#include "tests/support/reader/fake_source.h"
#include "tests/support/reader/memory_projection_store.h"

namespace tidegate::reader {
namespace {

using std::chrono::milliseconds;

// Counts the documents where other threads can read it.
class CountingStore final : public DocumentStore {
 public:
  explicit CountingStore(std::atomic<size_t>& count) : count_(count) {}
  Result<std::vector<WriteResult>> Write(std::span<const Document> documents) override {
    auto results = store_.Write(documents);
    count_ += documents.size();
    return results;
  }
  Status EnsureIndexes(const Namespace& ns, std::span<const Index> indexes) override {
    return store_.EnsureIndexes(ns, indexes);
  }
  Status Ping() override { return store_.Ping(); }

 private:
  std::atomic<size_t>& count_;
  FakeDocumentStore store_;
};

// Every thread has a database of its own.
class OwnProjections final : private MemoryDatabase, public MemoryProjectionStore {
 public:
  OwnProjections() : MemoryProjectionStore(static_cast<MemoryDatabase&>(*this)) {}
};

class ServiceTest : public testing::Test {
 protected:
  // Not loaded from variables: that validates them with librdkafka, whose threads crash under the
  // thread sanitizer.
  ServiceTest() {
    config_.landing = "sqlite:none";
    config_.streams.assign(BuiltInStreams().begin(), BuiltInStreams().end());
    config_.worker.batch_interval = milliseconds(1);
    config_.workers = 3;
    config_.http = http::Server::Options{};
  }

  Factories MakeFactories(bool failing = false) {
    return {.source = [failing](size_t worker) -> Result<std::unique_ptr<Source>> {
              auto source = std::make_unique<FakeSource>();
              for (int i = 0; i < 100; ++i)
                source->PushHeartbeat(kHeartbeats0,
                                      std::to_string(worker) + "-" + std::to_string(i));
              if (failing && worker == 1) source->Fail("fenced");
              return std::unique_ptr<Source>(std::move(source));
            },
            .projecting_source = [](size_t) -> Result<std::unique_ptr<Source>> {
              return std::unique_ptr<Source>(std::make_unique<FakeSource>());
            },
            .store = [this]() -> Result<std::unique_ptr<DocumentStore>> {
              return std::unique_ptr<DocumentStore>(std::make_unique<CountingStore>(written_));
            },
            .projections = []() -> Result<std::unique_ptr<ProjectionStore>> {
              return std::unique_ptr<ProjectionStore>(std::make_unique<OwnProjections>());
            },
            .dead_letters = [] { return std::make_unique<FakeDeadLetters>(); },
            .queries = [this]() -> Result<std::unique_ptr<QueryStore>> {
              return database_.NewStore();
            }};
  }

  // Sends the signal when everything has landed.
  std::thread SignalWhenLanded(size_t documents) {
    return std::thread([this, documents] {
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
      while (written_ < documents && std::chrono::steady_clock::now() < deadline)
        std::this_thread::yield();
      ::kill(::getpid(), SIGTERM);
    });
  }

  Config config_;
  SystemClock clock_;
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  std::atomic<size_t> written_{0};
  FakeDatabase database_;
};

TEST_F(ServiceTest, LandsWithAllWorkersAndStopsOnASignal) {
  Service service({.version = "test"}, config_, clock_, log_);
  ASSERT_TRUE(service.Start(MakeFactories()).ok());
  EXPECT_NE(service.http_port(), 0);
  std::thread signaller = SignalWhenLanded(300);
  EXPECT_EQ(service.Run(), 0);
  signaller.join();
  EXPECT_EQ(written_, 300u);
}

TEST_F(ServiceTest, AProcessThatOnlyAnswersConsumesNothing) {
  config_.roles = {.land = false, .project = false};
  Service service({.version = "test"}, config_, clock_, log_);
  ASSERT_TRUE(service.Start(MakeFactories()).ok());
  EXPECT_NE(service.http_port(), 0);
  std::thread signaller = SignalWhenLanded(0);
  EXPECT_EQ(service.Run(), 0);
  signaller.join();
  EXPECT_EQ(written_, 0u);
}

TEST_F(ServiceTest, AWorkerThatGivesUpEndsTheProgramWithAnError) {
  Service service({.version = "test"}, config_, clock_, log_);
  ASSERT_TRUE(service.Start(MakeFactories(true)).ok());
  EXPECT_EQ(service.Run(), 1);
}

TEST_F(ServiceTest, StartReportsAPortThatIsInUse) {
  Service first({.version = "test"}, config_, clock_, log_);
  ASSERT_TRUE(first.Start(MakeFactories()).ok());
  Config taken = config_;
  taken.http->port = first.http_port();
  Service second({.version = "test"}, taken, clock_, log_);
  const Status status = second.Start(MakeFactories());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
  std::thread signaller = SignalWhenLanded(300);
  EXPECT_EQ(first.Run(), 0);
  signaller.join();
}

using ServiceDeathTest = ServiceTest;

TEST_F(ServiceDeathTest, RunningBeforeAStartOrWithProblemsAborts) {
  Service service({.version = "test"}, config_, clock_, log_);
  EXPECT_EXIT((void)service.Run(), testing::KilledBySignal(SIGABRT), "after Start\\(\\) succeeded");
  config_.problems.push_back("TIDEGATE_X: there is no such setting");
  EXPECT_EXIT(Service({.version = "test"}, config_, clock_, log_), testing::KilledBySignal(SIGABRT),
              "the configuration has no problems");
}

}  // namespace
}  // namespace tidegate::reader
