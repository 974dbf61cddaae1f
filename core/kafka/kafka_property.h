// The names of librdkafka's properties: which there are, which are secret, and how they read as
// environment variables. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidegate::kafka {

// Whether the value must never be shown: passwords, private keys, tokens.
bool IsSecretProperty(std::string_view name);

// "BOOTSTRAP_SERVERS" is "bootstrap.servers": what follows TIDEGATE_KAFKA_ in a variable's name.
// The library's few names with an underscore (log_level) are known.
std::string EnvironmentToProperty(std::string_view suffix);
// And back, for messages: "bootstrap.servers" is "BOOTSTRAP_SERVERS".
std::string PropertyToEnvironment(std::string_view property);

// Every property that can be set by name, as the linked library has them. Sorted.
const std::vector<std::string>& KnownProperties();

}  // namespace tidegate::kafka
