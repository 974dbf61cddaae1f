#include "agent/config/unread_credentials.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/kafka/kafka_property.h"
#include "core/nearest.h"
#include "drivers/registry.h"

namespace tidegate {

UnreadCredentials FindUnreadCredentials(const std::vector<std::string>& present,
                                        const std::vector<std::string>& inputs) {
  std::vector<std::string> known;
  for (const std::string& input : inputs) {
    for (std::string& name : InputCredentialNames(input)) known.push_back(std::move(name));
  }
  for (const std::string& property : kafka::KnownProperties()) known.push_back("kafka." + property);
  UnreadCredentials found;
  for (const std::string& name : present) {
    if (std::ranges::count(known, name) > 0) continue;
    const std::string text = fmt::format("credential {}: the agent reads none of this name", name);
    if (const auto nearest = Nearest(name, known)) {
      found.problems.push_back(fmt::format("{}; did you mean {}?", text, *nearest));
    } else if (name.starts_with("kafka.") || name.starts_with("input.")) {
      found.problems.push_back(text);
    } else {
      found.warnings.push_back(text);
    }
  }
  return found;
}

}  // namespace tidegate
