// The contract of Transport, which the fake and the real one both pass: transport_contract_test.cc.
// A World is a transport with a server side in which a test can cause faults.
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
  // Runs the world until `done` holds. Returns false if it does not hold within the world's time
  // limit.
  virtual bool RunUntil(const std::function<bool()>& done) = 0;
  // Returns the values on the server side, in the order of arrival.
  virtual std::vector<std::string> ArrivedValues(const std::string& topic) = 0;
};

using MakeWorld = std::function<std::unique_ptr<TransportWorld>()>;
std::unique_ptr<TransportWorld> MakeScriptedWorld();
std::unique_ptr<TransportWorld> MakeKafkaWorld();

}  // namespace tidegate
