tidegate_library(mqtt_support
  SOURCES fake_mqtt_broker.cc mosquitto_process.cc
  PUBLIC tidegate::core GTest::gtest)
