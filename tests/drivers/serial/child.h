// A program that a test starts, and ends at the latest with itself.
#pragma once

#include <string>
#include <vector>

namespace tidegate {

// The path of a program found as a shell would, /usr/sbin included; empty if there is none.
std::string FindProgram(const std::string& name);

class Child {
 public:
  // Its output goes to `output_path`, or nowhere.
  explicit Child(const std::vector<std::string>& command,
                 const std::string& output_path = "/dev/null");
  // SIGKILL, if it still runs.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void Signal(int signal) const;
  // Sends the signal and waits for the end.
  void End(int signal);
  // Waits for the end: its exit status, or -1 if a signal ended it or it did not end within 30 s.
  int Wait();

 private:
  int pid_ = -1;
};

}  // namespace tidegate
