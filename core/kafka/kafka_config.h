// From librdkafka's property names, as they come from the environment and from credentials, to its
// configuration object. Every wrong property is reported at once, and no message ever holds the
// value of a secret. Any thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/credentials.h"
#include "core/kafka/kafka_property.h"
#include "core/result.h"

struct rd_kafka_conf_s;

namespace tidegate::kafka {

using Properties = std::map<std::string, std::string>;

enum class Role { kProducer, kConsumer };

// A promise of ours hangs on it, so that a setting to the contrary is an error and not an override.
struct ForcedProperty {
  std::string name;
  std::string value;
  std::string why;  // Ends the sentence "must be <value>: ...".
};

struct ConfigRequest {
  Properties defaults;                 // Ours; REQUIRES: valid.
  Properties settings;                 // Of the user, from the environment.
  Properties credentials;              // Of the user, from files; these win.
  std::vector<ForcedProperty> forced;  // REQUIRES: valid.
};

struct Problem {
  std::string property;
  std::string message;
};
// Empty if the request can become a configuration. Asks nothing of the network.
std::vector<Problem> FindProblems(const ConfigRequest& request);

// FindProblems, and then what the library finds wrong with the whole (files it cannot read, a
// mechanism without a user name). It makes a client without brokers for that, some 10 ms.
std::vector<Problem> FindAllProblems(Role role, const ConfigRequest& request);

struct ConfDeleter {
  void operator()(rd_kafka_conf_s* conf) const;
};
// rd_kafka_new() takes the object over if it succeeds, and only then: release() after that.
using ConfHandle = std::unique_ptr<rd_kafka_conf_s, ConfDeleter>;
// kInvalid: the problems, joined by "; ".
Result<ConfHandle> MakeConf(const ConfigRequest& request);

// The credentials named kafka.<property>, without that prefix.
Result<Properties> CredentialProperties(const Credentials& credentials);

}  // namespace tidegate::kafka
