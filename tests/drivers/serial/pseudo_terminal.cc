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
  ASSERT_EQ(write(master_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

void PseudoTerminal::Unplug() {
  std::filesystem::remove(path_);
  if (master_ >= 0) close(master_);
  master_ = -1;
}

void PseudoTerminal::Plug() {
  master_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(master_, 0);
  ASSERT_EQ(grantpt(master_), 0);
  ASSERT_EQ(unlockpt(master_), 0);
  std::filesystem::create_symlink(ptsname(master_), path_);
}

}  // namespace tidegate
