#include "core/output.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace tidegate {
namespace {

using testing::ExitedWithCode;

// Prints that many bytes to the file and ends the process as a program does.
[[noreturn]] void PrintTo(const char* file, size_t bytes, int code) {
  if (std::freopen(file, "w", stdout) == nullptr) std::abort();
  Print(std::string(bytes, 'x'));
  std::exit(FinishOutput(code));
}

TEST(OutputDeathTest, WhatIsWrittenLeavesTheExitStatusAsItIs) {
  EXPECT_EXIT(PrintTo("/dev/null", 1, 0), ExitedWithCode(0), "^$");
  EXPECT_EXIT(PrintTo("/dev/null", 1'000'000, 3), ExitedWithCode(3), "^$");
}

TEST(OutputDeathTest, AFullDiskIsAFailureWhetherItShowsAtOnceOrAtTheEnd) {
  for (const size_t bytes : {1, 1'000'000}) {
    EXPECT_EXIT(PrintTo("/dev/full", bytes, 0), ExitedWithCode(1),
                "^core_test: write standard output: No space left on device\n$");
  }
  EXPECT_EXIT(PrintTo("/dev/full", 1, 3), ExitedWithCode(3), "No space left on device");
}

TEST(OutputDeathTest, OutputThatWasClosedIsAFailureOnlyIfSomethingWasPrinted) {
  const auto end = [](size_t bytes) {
    close(STDOUT_FILENO);
    Print(std::string(bytes, 'x'));
    std::exit(FinishOutput(0));
  };
  EXPECT_EXIT(end(0), ExitedWithCode(0), "^$");
  EXPECT_EXIT(end(1), ExitedWithCode(1), "write standard output: Bad file descriptor");
}

TEST(OutputDeathTest, AFlushThatFailsIsReportedOnce) {
  const auto flush_twice = [] {
    if (std::freopen("/dev/full", "w", stdout) == nullptr) std::abort();
    Print("x");
    const bool flushed = FlushOutput() || FlushOutput();
    std::exit(FinishOutput(flushed ? 2 : 0));
  };
  EXPECT_EXIT(flush_twice(), ExitedWithCode(1),
              "^core_test: write standard output: No space left on device\n$");
}

TEST(OutputDeathTest, PrintReportsThatWritingHasFailed) {
  EXPECT_EXIT(
      {
        if (std::freopen("/dev/full", "w", stdout) == nullptr) std::abort();
        const bool first = Print(std::string(1'000'000, 'x'));
        std::_Exit(first || Print("x") ? 1 : 0);
      },
      ExitedWithCode(0), "");
}

}  // namespace
}  // namespace tidegate
