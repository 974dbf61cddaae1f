// The secrets that the service manager passes to this process: one file each in
// $CREDENTIALS_DIRECTORY (systemd.exec(5), LoadCredential=). No name leads out of that folder, and
// no content appears in an error or the log. Immutable; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tidegate {

class Credentials {
 public:
  static constexpr size_t kMaxBytes = 64 * 1024;

  // Reads credentials from `folder`; an empty name means that there are none.
  explicit Credentials(std::string folder) : folder_(std::move(folder)) {}
  // Reads them from $CREDENTIALS_DIRECTORY.
  static Credentials FromEnvironment();

  // Returns the content without one trailing newline; nullopt if there is no such credential.
  // kInvalid: the name has other characters than A-Z a-z 0-9 . _ -, or the file cannot be read, is
  // no regular file or is over kMaxBytes.
  Result<std::optional<std::string>> Read(std::string_view name) const;

  // Returns the file's path, for libraries that read it themselves (certificates); nullopt if there
  // is no such file or the name is not allowed.
  std::optional<std::string> Path(std::string_view name) const;

  // Returns the names of all credentials, sorted.
  std::vector<std::string> Names() const;

 private:
  std::string folder_;
};

}  // namespace tidegate
