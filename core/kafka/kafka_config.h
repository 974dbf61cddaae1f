// Makes librdkafka's configuration object from property names and values of the environment and the
// credentials. It reports all wrong properties at once, and no message ever holds the value of a
// secret. Any thread.
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

// A property that one of our promises depends on: a user who sets it otherwise gets an error.
struct ForcedProperty {
  std::string name;
  std::string value;
  // The end of the sentence "must be <value>: ...".
  std::string why;
};

struct ConfigRequest {
  // Our own values, which a user may override. An invalid one is a problem like a user's.
  Properties defaults;
  // The user's values from the environment.
  Properties settings;
  // The user's values from credential files; they override settings.
  Properties credentials;
  std::vector<ForcedProperty> forced;
};

struct Problem {
  // Empty if the problem is of no single property.
  std::string property;
  // For people; it names the property.
  std::string message;
};
// Returns the wrong properties; empty if the request makes a configuration. Uses no network.
std::vector<Problem> FindProblems(const ConfigRequest& request);

// As FindProblems(); if it finds none, returns what the library finds wrong with the whole (files
// that it cannot read, a mechanism without a user name). Takes some 10 ms, because it makes a
// client without brokers.
std::vector<Problem> FindAllProblems(Role role, const ConfigRequest& request);

struct ConfDeleter {
  void operator()(rd_kafka_conf_s* conf) const;
};
// rd_kafka_new() owns the object if it succeeds, and only then: call release() after that.
using ConfHandle = std::unique_ptr<rd_kafka_conf_s, ConfDeleter>;
// Returns the configuration. kInvalid: the message holds all problems, joined by "; ".
Result<ConfHandle> MakeConf(const ConfigRequest& request);

// Returns the credentials named kafka.<property>, without that prefix, or the error of reading one.
Result<Properties> CredentialProperties(const Credentials& credentials);

}  // namespace tidegate::kafka
