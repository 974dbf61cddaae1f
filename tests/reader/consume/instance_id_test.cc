#include "reader/consume/instance_id.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

class InstanceIdTest : public testing::Test {
 protected:
  std::string Claimed() {
    const auto id = InstanceId::Claim(path_);
    EXPECT_TRUE(id.ok()) << (id.ok() ? "" : id.error().message);
    return id.ok() ? id->text() : "";
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.File("instance-id");
};

TEST_F(InstanceIdTest, ItStaysTheSameForAnInstallation) {
  const std::string first = Claimed();
  ASSERT_GT(first.size(), 17u);
  EXPECT_EQ(first[first.size() - 17], '-');
  EXPECT_EQ(Claimed(), first);
}

TEST_F(InstanceIdTest, AnotherInstallationHasAnotherOne) {
  const std::string first = Claimed();
  path_ = folder_.File("other");
  EXPECT_NE(Claimed(), first);
}

TEST_F(InstanceIdTest, OneProcessAtATimeHasIt) {
  auto held = InstanceId::Claim(path_);
  ASSERT_TRUE(held.ok());
  const auto second = InstanceId::Claim(path_);
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().message.find("another process has it"), std::string::npos);
  const std::string text = held->text();
  { const InstanceId ended = std::move(held).value(); }
  EXPECT_EQ(Claimed(), text);
}

TEST_F(InstanceIdTest, AFileThatHoldsNoneGetsOne) {
  for (const char* text : {"", "short\n", "0123456789abcdeX\n", "0123456789abcdef0\n"}) {
    std::ofstream(path_) << text;
    const std::string made = Claimed();
    EXPECT_EQ(Claimed(), made) << text;
  }
  std::ofstream(path_) << "0123456789abcdef\n";
  EXPECT_NE(Claimed().find("-0123456789abcdef"), std::string::npos);
}

TEST_F(InstanceIdTest, AFolderThatIsNotThereIsSaid) {
  const auto id = InstanceId::Claim(folder_.File("no/instance-id"));
  ASSERT_FALSE(id.ok());
  EXPECT_NE(id.error().message.find("No such file"), std::string::npos) << id.error().message;
}

}  // namespace
}  // namespace tidegate::reader
