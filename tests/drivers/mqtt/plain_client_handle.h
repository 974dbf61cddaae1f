// libmosquitto used plainly, as any client would: publishes a load, and drains a session by
// throwing everything away. The yardstick for the driver. One thread; every call waits.
#pragma once

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace tidegate {

class PlainClient {
 public:
  static constexpr uint16_t kReceiveMaximum = 1000;

  // A session named `id` is kept, unless `id` is empty.
  PlainClient(uint16_t port, const std::string& id, int version = MQTT_PROTOCOL_V5)
      : handle_(mosquitto_new(id.empty() ? nullptr : id.c_str(), id.empty(), this),
                mosquitto_destroy) {
    mosquitto* const handle = handle_.get();
    mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION, version);
    mosquitto_int_option(handle, MOSQ_OPT_SEND_MAXIMUM, 1000);
    mosquitto_connect_callback_set(handle, [](mosquitto*, void* self, int reason) {
      static_cast<PlainClient*>(self)->connected_ = reason == 0;
    });
    mosquitto_publish_callback_set(
        handle, [](mosquitto*, void* self, int) { ++static_cast<PlainClient*>(self)->published_; });
    mosquitto_message_callback_set(handle, [](mosquitto*, void* self, const mosquitto_message*) {
      ++static_cast<PlainClient*>(self)->received_;
    });
    mosquitto_subscribe_callback_set(handle, [](mosquitto*, void* self, int, int, const int*) {
      static_cast<PlainClient*>(self)->subscribed_ = true;
    });
    mosquitto_property* properties = nullptr;
    if (version == MQTT_PROTOCOL_V5) {
      mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                   id.empty() ? 0 : 3600);
      mosquitto_property_add_int16(&properties, MQTT_PROP_RECEIVE_MAXIMUM, kReceiveMaximum);
    }
    mosquitto_connect_bind_v5(handle, "127.0.0.1", port, 60, nullptr, properties);
    mosquitto_property_free_all(&properties);
  }

  bool Connect() {
    return Until([this] { return connected_; });
  }
  bool Subscribe(const std::string& filter) {
    mosquitto_subscribe(handle_.get(), nullptr, filter.c_str(), 1);
    return Until([this] { return subscribed_; });
  }
  // QoS 1, and waits until the broker has acknowledged all.
  bool Publish(const std::string& topic, const std::string& payload, int count) {
    const int goal = published_ + count;
    for (int i = 0; i < count; ++i) {
      mosquitto_publish(handle_.get(), nullptr, topic.c_str(), static_cast<int>(payload.size()),
                        payload.data(), 1, false);
    }
    return Until([this, goal] { return published_ >= goal; });
  }
  bool Receive(int count) {
    return Until([this, count] { return received_ >= count; });
  }
  void Disconnect() { mosquitto_disconnect(handle_.get()); }

 private:
  bool Until(const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done() && std::chrono::steady_clock::now() < limit) {
      if (mosquitto_loop(handle_.get(), 100, 1) != MOSQ_ERR_SUCCESS) return false;
    }
    return done();
  }

  std::unique_ptr<mosquitto, void (*)(mosquitto*)> handle_;
  bool connected_ = false;
  bool subscribed_ = false;
  int published_ = 0;
  int received_ = 0;
};

}  // namespace tidegate
