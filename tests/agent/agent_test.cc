// The agent as its host sees it: started, asked, stopped, and started again on the same store.
#include "agent/agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <systemd/sd-event.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class AgentTest : public testing::Test {
 protected:
  AgentTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "tidegate-agent-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    sd_event_new(&event_);
    environment_ = {{"TIDEGATE_GATEWAY_ID", "gw-test"},
                    {"TIDEGATE_TENANT", "acme"},
                    {"TIDEGATE_STORE_DIR", folder_ + "/store"},
                    {"TIDEGATE_HTTP_LISTEN", "127.0.0.1:0"},
                    {"TIDEGATE_COMMIT_INTERVAL", "20ms"},
                    {"TIDEGATE_INPUT_FLEET", "sim:?assets=5&rate=500&count=50&seed=1"}};
  }
  ~AgentTest() override {
    agent_.reset();
    sd_event_unref(event_);
    std::filesystem::remove_all(folder_);
  }

  Result<std::unique_ptr<Agent>> Start() {
    const LoadedSettings loaded = LoadSettings(environment_, credentials_);
    EXPECT_THAT(loaded.problems, testing::IsEmpty());
    return Agent::Start(event_, loaded.settings, credentials_, log_);
  }
  void MustStart() {
    auto started = Start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    agent_ = std::move(started).value();
  }
  // Runs the loop until the condition holds; false after ten seconds.
  bool RunUntil(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      sd_event_run(event_, 10'000);
    }
    return true;
  }
  bool Stop() {
    bool stopped = false;
    agent_->Stop([&] { stopped = true; });
    const bool in_time = RunUntil([&] { return stopped; });
    agent_.reset();
    return in_time;
  }
  uint64_t Stored() { return agent_->status().store.total_records(); }

  std::string folder_;
  sd_event* event_ = nullptr;
  Environment environment_;
  Credentials credentials_{""};
  // A file where the store's folder is to be: as when a disk is not mounted or read-only, it cannot
  // be made, whoever runs the test.
  void BlockStoreFolder() { std::ofstream(folder_ + "/store") << "in the way"; }
  void UnblockStoreFolder() { std::filesystem::remove(folder_ + "/store"); }

  std::string expected_error_;  // The only one that may be logged.
  Log log_{LogLevel::kError, [this](LogLevel, std::string_view line) {
             if (expected_error_.empty() || line.find(expected_error_) == std::string_view::npos)
               ADD_FAILURE() << line;
           }};
  std::unique_ptr<Agent> agent_;
};

TEST_F(AgentTest, WhatOneRunStoredIsThereForTheNext) {
  MustStart();
  ASSERT_TRUE(RunUntil([&] { return Stored() >= 50; }));
  const std::string epoch = agent_->status().epoch;
  ASSERT_TRUE(Stop());
  environment_.erase("TIDEGATE_INPUT_FLEET");
  MustStart();
  EXPECT_EQ(Stored(), 50U);
  EXPECT_EQ(agent_->status().epoch, epoch);
}

TEST_F(AgentTest, DestroyedWithoutStoppingItKeepsWhatTheSourcesHandedOver) {
  environment_["TIDEGATE_COMMIT_INTERVAL"] = "1m";
  MustStart();
  ASSERT_TRUE(RunUntil([&] { return agent_->status().inputs.at(0).received >= 50; }));
  EXPECT_EQ(Stored(), 0U);
  agent_.reset();
  environment_.erase("TIDEGATE_INPUT_FLEET");
  MustStart();
  EXPECT_EQ(Stored(), 50U);
}

TEST_F(AgentTest, StatusTellsWhatTheHostWouldAskFor) {
  MustStart();
  ASSERT_TRUE(RunUntil([&] { return agent_->status().inputs.at(0).settled >= 50; }));
  const StatusReport report = agent_->status();
  EXPECT_EQ(report.gateway_id, "gw-test");
  EXPECT_EQ(report.inputs[0].name, "fleet");
  EXPECT_FALSE(report.uplink.configured);
  EXPECT_THAT(report.http, HasSubstr("127.0.0.1:"));
  EXPECT_THAT(StatusLine(report), HasSubstr("50 records behind"));
}

TEST_F(AgentTest, ASecondAgentIsKeptOffTheStore) {
  MustStart();
  environment_["TIDEGATE_CONTROL_SOCKET"] = folder_ + "/other.sock";
  const auto second = Start();
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message, HasSubstr("another"));
}

class WaitingAgentTest : public AgentTest {
 protected:
  WaitingAgentTest() {
    expected_error_ = folder_ + "/store";
    environment_["TIDEGATE_CONTROL_SOCKET"] = folder_ + "/control.sock";
    BlockStoreFolder();
  }
};

TEST_F(WaitingAgentTest, ItStartsAndSaysWhatItWaitsFor) {
  MustStart();
  const StatusReport report = agent_->status();
  EXPECT_THAT(report.store_error, HasSubstr(folder_ + "/store"));
  EXPECT_THAT(StatusLine(report), HasSubstr("WAITS FOR THE STORE"));
  ASSERT_EQ(report.inputs.size(), 1U);
  EXPECT_FALSE(report.inputs[0].connected);
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/control.sock"));
}

TEST_F(WaitingAgentTest, OnceTheStoreOpensWhatTheSourcesSendBecomesDurable) {
  MustStart();
  UnblockStoreFolder();
  ASSERT_TRUE(RunUntil([&] { return agent_->status().inputs.at(0).settled >= 50; }));
  EXPECT_EQ(agent_->status().store_error, "");
  EXPECT_EQ(Stored(), 50U);
}

TEST_F(WaitingAgentTest, ItsSocketMayLieInTheFolderThatIsMissing) {
  environment_.erase("TIDEGATE_CONTROL_SOCKET");
  MustStart();
  UnblockStoreFolder();
  ASSERT_TRUE(RunUntil([&] { return agent_->status().inputs.at(0).settled >= 50; }));
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/store/control.sock"));
}

TEST_F(WaitingAgentTest, ItStopsWhileItWaits) {
  MustStart();
  EXPECT_TRUE(Stop());
}

TEST_F(WaitingAgentTest, AStoreThatTurnsOutToBeInUseEndsTheWait) {
  environment_["TIDEGATE_STORE_DIR"] = folder_ + "/taken";
  environment_["TIDEGATE_CONTROL_SOCKET"] = folder_ + "/other.sock";
  MustStart();
  const auto owner = std::move(agent_);
  environment_["TIDEGATE_STORE_DIR"] = folder_ + "/store";
  environment_["TIDEGATE_CONTROL_SOCKET"] = folder_ + "/control.sock";
  MustStart();
  std::optional<Error> failure;
  agent_->OnFailed([&](const Error& error) { failure = error; });
  UnblockStoreFolder();
  std::filesystem::create_directory_symlink(folder_ + "/taken", folder_ + "/store");
  ASSERT_TRUE(RunUntil([&] { return failure.has_value(); }));
  EXPECT_EQ(failure->code, ErrorCode::kRejected);
  EXPECT_THAT(failure->message, HasSubstr("another"));
}

TEST_F(AgentTest, AnHttpPortThatIsTakenKeepsNoRecordFromBeingStored) {
  MustStart();
  const auto first = std::move(agent_);
  environment_["TIDEGATE_HTTP_LISTEN"] = first->status().http;
  environment_["TIDEGATE_STORE_DIR"] = folder_ + "/second";
  MustStart();
  EXPECT_TRUE(RunUntil([&] { return Stored() == 50; }));
  EXPECT_EQ(agent_->status().http, "");
  EXPECT_THAT(agent_->status().not_listening,
              testing::ElementsAre(HasSubstr(environment_["TIDEGATE_HTTP_LISTEN"])));
}

TEST_F(AgentTest, AFolderForTheSocketThatIsMissingKeepsNoRecordFromBeingStored) {
  environment_["TIDEGATE_CONTROL_SOCKET"] = folder_ + "/missing/control.sock";
  MustStart();
  EXPECT_TRUE(RunUntil([&] { return Stored() == 50; }));
  EXPECT_THAT(agent_->status().not_listening, testing::ElementsAre(HasSubstr("/missing/")));
  std::filesystem::create_directory(folder_ + "/missing");
  EXPECT_TRUE(RunUntil([&] { return agent_->status().not_listening.empty(); }));
}

}  // namespace
}  // namespace tidegate
