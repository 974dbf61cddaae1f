// Finds credentials that the agent does not read, because a secret under a wrong name is a login
// that fails. Reads no content. Any thread.
#pragma once

#include <string>
#include <vector>

namespace tidegate {

struct UnreadCredentials {
  // Names that resemble one that is read, or begin like one.
  std::vector<std::string> problems;
  // Others; they may be meant for the program that the agent is a part of.
  std::vector<std::string> warnings;
};

// `present`: the names of all credentials. `inputs`: the names of the inputs, in lower case.
UnreadCredentials FindUnreadCredentials(const std::vector<std::string>& present,
                                        const std::vector<std::string>& inputs);

}  // namespace tidegate
