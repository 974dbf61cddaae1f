#include "uplink/client_ends.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace tidegate {
namespace {

kafka::ClientHandle MakeClient() {
  char reason[256];
  return kafka::ClientHandle(
      rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), reason, sizeof(reason)));
}

std::shared_ptr<LinkState> MakeLink() {
  auto link = LinkState::Create();
  EXPECT_TRUE(link.ok());
  return *std::move(link);
}

TEST(ClientEndsTest, AClientEndsOnAThreadOfItsOwn) {
  ClientEnds ends;
  auto link = MakeLink();
  const std::weak_ptr<LinkState> kept = link;
  ends.End(MakeClient(), std::move(link));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (ends.pending() > 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(ends.pending(), 0U);
  EXPECT_TRUE(kept.expired());
}

}  // namespace
}  // namespace tidegate
