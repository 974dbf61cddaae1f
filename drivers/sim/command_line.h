// The command line of tidegate-sim and its parser. Reads no environment; draws a random client id
// if none is given. Any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "drivers/sim/fleet.h"
#include "drivers/sim/http_publisher.h"
#include "drivers/sim/mqtt_publisher.h"
#include "drivers/sim/publish_run.h"

namespace tidegate {

struct SimCommand {
  enum class Target { kMqtt, kHttp, kPrint };

  // If not empty: print this and exit with `exit_code`; nothing else is set.
  std::string message;
  int exit_code = 0;

  Target target = Target::kPrint;
  FleetOptions fleet;
  RunOptions run;
  MqttPublisherOptions mqtt;
  HttpPublisherOptions http;
  bool quiet = false;
  bool json = false;
};

// `password` is used with --username. Wrong usage gives a message and exit code 2.
SimCommand ParseSimCommand(const std::vector<std::string>& arguments, const std::string& password,
                           const std::string& version);

}  // namespace tidegate
