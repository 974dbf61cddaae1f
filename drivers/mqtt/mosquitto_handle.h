// Owners for the objects that libmosquitto allocates. Private to drivers/mqtt.
#pragma once

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <memory>

namespace tidegate {

struct MosquittoDeleter {
  // Closes the socket without a DISCONNECT, so that the broker keeps the session.
  void operator()(mosquitto* handle) const { mosquitto_destroy(handle); }
};
using MosquittoHandle = std::unique_ptr<mosquitto, MosquittoDeleter>;

struct MosquittoPropertyDeleter {
  void operator()(mosquitto_property* list) const { mosquitto_property_free_all(&list); }
};
using MosquittoProperties = std::unique_ptr<mosquitto_property, MosquittoPropertyDeleter>;

}  // namespace tidegate
