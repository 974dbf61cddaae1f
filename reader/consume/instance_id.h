// The static name of an installation's members in their consumer groups (Kafka's
// group.instance.id). With it the service gets its partitions back after a restart without a
// rebalance. It is kept in a file of the service's own folder, which one process at a time may
// lock. Any thread.
#pragma once

#include <string>

#include "core/result.h"
#include "core/unique_fd.h"

namespace tidegate::reader {

class InstanceId {
 public:
  // Locks the file and returns the name in it; writes a new name first if it holds none.
  // kUnavailable: another process holds the lock, or the file cannot be opened or written. The
  // members then have no static name.
  static Result<InstanceId> Claim(const std::string& path);

  // Returns "<host>-<16 hexadecimal digits>". A copy of the folder on another host so has another
  // name.
  const std::string& text() const { return text_; }

 private:
  InstanceId(UniqueFd lock, std::string text) : lock_(std::move(lock)), text_(std::move(text)) {}

  // Holds the file's lock as long as this object lives.
  UniqueFd lock_;
  std::string text_;
};

}  // namespace tidegate::reader
