#include "reader/consume/kafka_statistics.h"

#include <gtest/gtest.h>

#include <string>

namespace tidegate::reader {
namespace {

TEST(KafkaStatistics, LagIsReadOfPartitionsThatAreFetched) {
  const KafkaStatistics statistics = *ReadStatistics(
      R"({"brokers":{"b:9092/1":{"nodeid":1,"state":"UP"}},"topics":{"t":{"partitions":{
      "0":{"partition":0,"fetch_state":"active","consumer_lag":9,"consumer_lag_stored":4},
      "1":{"partition":1,"fetch_state":"active","consumer_lag":9,"consumer_lag_stored":-1},
      "2":{"partition":2,"fetch_state":"active","consumer_lag":-1,"consumer_lag_stored":-1,"lo_offset":10,"hi_offset":12},
      "3":{"partition":3,"fetch_state":"active","consumer_lag":-1,"consumer_lag_stored":-1,"lo_offset":-1001,"hi_offset":-1001},
      "4":{"partition":4,"fetch_state":"none","consumer_lag":5,"consumer_lag_stored":5},
      "-1":{"partition":-1,"fetch_state":"none","consumer_lag":-1}}}}})");
  EXPECT_TRUE(statistics.brokers_up);
  ASSERT_EQ(statistics.lag.size(), 3u);
  EXPECT_EQ(statistics.lag[0].messages, 4);
  EXPECT_EQ(statistics.lag[1].messages, 9);
  EXPECT_EQ(statistics.lag[2].messages, 2);
}

TEST(KafkaStatistics, WithoutABrokerThatIsUpThereIsNone) {
  EXPECT_FALSE(
      ReadStatistics(
          R"({"brokers":{"a":{"nodeid":1,"state":"CONNECT"},"b":{"nodeid":2,"state":"DOWN"}}})")
          ->brokers_up);
  EXPECT_FALSE(ReadStatistics(R"({"brokers":{}})")->brokers_up);
}

TEST(KafkaStatistics, AnythingElseIsNothingKnown) {
  for (const char* text :
       {"[]", "{}", R"({"brokers":7,"topics":[1]})", R"({"topics":{"t":{"partitions":[7]}}})"}) {
    const auto statistics = ReadStatistics(text);
    EXPECT_FALSE(statistics->brokers_up) << text;
    EXPECT_TRUE(statistics->lag.empty()) << text;
  }
}

TEST(KafkaStatistics, WhatCannotBeReadSaysNothing) {
  EXPECT_FALSE(ReadStatistics(""));
  EXPECT_FALSE(ReadStatistics("{"));
}

TEST(KafkaStatistics, ManyPartitionsAreRead) {
  std::string text = R"({"brokers":{"b":{"nodeid":1,"state":"UP"}},"topics":{"t":{"partitions":{)";
  for (int i = 0; i < 10'000; ++i) {
    text += (i > 0 ? ",\"" : "\"") + std::to_string(i) + R"(":{"partition":)" + std::to_string(i);
    for (int figure = 0; figure < 58; ++figure) text += ",\"f" + std::to_string(figure) + "\":1";
    text += R"(,"fetch_state":"active","consumer_lag":1})";
  }
  const auto statistics = ReadStatistics(text + "}}}}");
  ASSERT_TRUE(statistics);
  EXPECT_TRUE(statistics->brokers_up);
  EXPECT_EQ(statistics->lag.size(), 10'000u);
}

}  // namespace
}  // namespace tidegate::reader
