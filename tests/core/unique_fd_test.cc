#include "core/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <utility>

namespace tidegate {
namespace {

bool IsOpen(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}
UniqueFd NewFd() {
  return UniqueFd(::eventfd(0, EFD_CLOEXEC));
}

TEST(UniqueFd, ClosesItsDescriptorAtItsEnd) {
  int number = -1;
  {
    const UniqueFd fd = NewFd();
    ASSERT_TRUE(fd.valid());
    number = fd.get();
    EXPECT_TRUE(IsOpen(number));
  }
  EXPECT_FALSE(IsOpen(number));
  EXPECT_FALSE(UniqueFd().valid());
}

TEST(UniqueFd, AMoveLeavesNoneAndAnAssignmentClosesTheFormerOne) {
  UniqueFd first = NewFd();
  UniqueFd second = NewFd();
  const int former = first.get();
  const int kept = second.get();
  first = std::move(second);
  EXPECT_EQ(first.get(), kept);
  EXPECT_TRUE(IsOpen(kept));
  EXPECT_FALSE(IsOpen(former));
  EXPECT_FALSE(second.valid());
  const UniqueFd third(std::move(first));
  EXPECT_EQ(third.get(), kept);
  EXPECT_FALSE(first.valid());
}

TEST(UniqueFd, AReleasedDescriptorIsTheCallers) {
  UniqueFd fd = NewFd();
  const UniqueFd released(fd.Release());
  EXPECT_FALSE(fd.valid());
  EXPECT_TRUE(IsOpen(released.get()));
}

}  // namespace
}  // namespace tidegate
