// The secrets that the service manager hands to this process: one file each in
// $CREDENTIALS_DIRECTORY (systemd.exec(5), LoadCredential=). A name never leads out of that folder.
// What is read is never logged.
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

  // An empty folder name: there are no credentials.
  explicit Credentials(std::string folder) : folder_(std::move(folder)) {}
  static Credentials FromEnvironment();

  // The content without one trailing newline; nullopt if there is no such credential. kInvalid: a
  // name with other characters than A-Z a-z 0-9 . _ -, or a file that cannot be read, is no regular
  // file or is over kMaxBytes.
  Result<std::optional<std::string>> Read(std::string_view name) const;

  // The file, for libraries that want to read it themselves (certificates); nullopt if there is
  // none or the name is not allowed.
  std::optional<std::string> Path(std::string_view name) const;

  // Sorted.
  std::vector<std::string> Names() const;

 private:
  std::string folder_;
};

}  // namespace tidegate
