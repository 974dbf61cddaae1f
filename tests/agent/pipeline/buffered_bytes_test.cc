#include "agent/pipeline/buffered_bytes.h"

#include <gtest/gtest.h>

#include <string>

namespace tidegate {
namespace {

TEST(BufferedBytesTest, EveryTextOfARecordCounts) {
  for (std::string Record::*text : {&Record::tenant, &Record::asset, &Record::value}) {
    Record record;
    BufferedBytes empty, filled;
    empty.Add(record);
    record.*text = std::string(10'000, 'x');
    filled.Add(record);
    EXPECT_GE(filled.total(), empty.total() + 10'000);
  }
}

TEST(BufferedBytesTest, EveryTextOfADeadLetterCounts) {
  for (std::string DeadLetter::*text :
       {&DeadLetter::input, &DeadLetter::origin, &DeadLetter::reason, &DeadLetter::payload}) {
    DeadLetter letter;
    BufferedBytes empty, filled;
    empty.Add(letter);
    letter.*text = std::string(10'000, 'x');
    filled.Add(letter);
    EXPECT_GE(filled.total(), empty.total() + 10'000);
  }
}

TEST(BufferedBytesTest, RoomThatATextHasReservedCounts) {
  Record record;
  record.value.reserve(100'000);
  record.value = "{}";
  BufferedBytes bytes;
  bytes.Add(record);
  EXPECT_GE(bytes.total(), 100'000U);
  bytes.Clear();
  EXPECT_EQ(bytes.total(), 0U);
}

}  // namespace
}  // namespace tidegate
