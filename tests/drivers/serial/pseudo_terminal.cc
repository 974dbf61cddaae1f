#include "tests/drivers/serial/pseudo_terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace tidegate {

PseudoTerminal::PseudoTerminal() {
  std::string pattern = testing::TempDir() + "ttyXXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "mkdtemp " << pattern;
  directory_ = pattern;
  path_ = directory_ + "/tty";
  Plug();
}

PseudoTerminal::~PseudoTerminal() {
  Unplug();
  std::filesystem::remove_all(directory_);
}

void PseudoTerminal::Send(std::string_view bytes) {
  ASSERT_EQ(write(master_.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

void PseudoTerminal::Unplug() {
  std::filesystem::remove(path_);
  master_ = UniqueFd();
}

void PseudoTerminal::Plug() {
  master_ = UniqueFd(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(master_.valid());
  ASSERT_EQ(grantpt(master_.get()), 0);
  ASSERT_EQ(unlockpt(master_.get()), 0);
  std::filesystem::create_symlink(ptsname(master_.get()), path_);
}

}  // namespace tidegate
