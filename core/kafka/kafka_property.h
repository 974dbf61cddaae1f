// The names of librdkafka's properties: which ones exist, which are secret, and the environment
// variables that set them. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidegate::kafka {

// Returns whether the value must never be shown: passwords, private keys, tokens.
bool IsSecretProperty(std::string_view name);

// Returns whether the linked library has a property of that name that can be set.
bool IsKnownProperty(std::string_view name);
// Returns the value, or "(hidden)" if it is a secret or may be one: an unknown property may be a
// secret's whose name is misspelt.
std::string ShownProperty(std::string_view name, std::string_view value);

// Returns the property for the part of a variable's name that follows TIDEGATE_KAFKA_:
// "bootstrap.servers" for "BOOTSTRAP_SERVERS". The library's few names with an underscore
// (log_level) are recognised.
std::string EnvironmentToProperty(std::string_view suffix);
// The reverse, for messages: "BOOTSTRAP_SERVERS" for "bootstrap.servers".
std::string PropertyToEnvironment(std::string_view property);

// Returns every property of the linked library that can be set by name, sorted.
const std::vector<std::string>& KnownProperties();

}  // namespace tidegate::kafka
