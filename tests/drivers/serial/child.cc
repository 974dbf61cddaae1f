#include "tests/drivers/serial/child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/unique_fd.h"

extern char** environ;

namespace tidegate {

std::string FindProgram(const std::string& name) {
  for (const char* folder :
       {"/usr/local/bin/", "/usr/bin/", "/bin/", "/usr/local/sbin/", "/usr/sbin/"}) {
    if (access((folder + name).c_str(), X_OK) == 0) return folder + name;
  }
  return "";
}

Child::Child(const std::vector<std::string>& command, const std::string& output_path) {
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, output_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0600);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  const int error = posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    ADD_FAILURE() << "cannot start " << command[0];
    pid_ = -1;
  }
}

Child::~Child() {
  End(SIGKILL);
}

void Child::Signal(int signal) const {
  if (pid_ > 0) kill(pid_, signal);
}

void Child::End(int signal) {
  Signal(signal);
  Wait();
}

int Child::Wait() {
  if (pid_ <= 0) return -1;
  // The pid's descriptor becomes readable when the process ends.
  const UniqueFd fd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  pollfd end{.fd = fd.get(), .events = POLLIN, .revents = 0};
  const bool ended = !fd.valid() || poll(&end, 1, 30'000) == 1;
  if (!ended) {
    ADD_FAILURE() << "process " << pid_ << " does not end";
    kill(pid_, SIGKILL);
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return ended && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace tidegate
