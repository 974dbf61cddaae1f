// The static name of an installation's members in their consumer groups (Kafka's
// group.instance.id), by which the service has its partitions back after a restart and the group is
// not disturbed. It is kept in a file of the service's own folder; one process at a time has it.
#pragma once

#include <string>

#include "core/result.h"
#include "core/unique_fd.h"

namespace tidegate::reader {

class InstanceId {
 public:
  // The name in that file, which is made with a new one if it holds none. kUnavailable: another
  // process has it now, or there can be no such file; members then go without a static name.
  static Result<InstanceId> Claim(const std::string& path);

  // "<host>-<16 hexadecimal digits>", so that a copy of the folder on another host is another one.
  const std::string& text() const { return text_; }

 private:
  InstanceId(UniqueFd lock, std::string text) : lock_(std::move(lock)), text_(std::move(text)) {}

  UniqueFd lock_;  // Of the file, as long as this lives.
  std::string text_;
};

}  // namespace tidegate::reader
