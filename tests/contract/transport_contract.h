// What every Transport promises, asked of the fake and of the real one alike:
// transport_contract_test.cc. A World is a transport with a server side that a test can fault.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "uplink/transport.h"

namespace tidegate {

class TransportWorld {
 public:
  virtual ~TransportWorld() = default;
  virtual Transport& transport() = 0;
  virtual void LinkDown() = 0;
  virtual void LinkUp() = 0;
  // The next request is refused whole, as a broker does for one bad record in it.
  virtual void RefuseNextRequest() = 0;
  // Lets the world go on until `done` holds. False: it does not within the world's patience.
  virtual bool RunUntil(const std::function<bool()>& done) = 0;
  // What has arrived on the server side, in the order of arrival.
  virtual std::vector<std::string> ArrivedValues(const std::string& topic) = 0;
};

using MakeWorld = std::function<std::unique_ptr<TransportWorld>()>;
std::unique_ptr<TransportWorld> MakeScriptedWorld();
std::unique_ptr<TransportWorld> MakeKafkaWorld();

}  // namespace tidegate
