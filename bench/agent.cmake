# The baselines that agent.py measures the agent against.
if(TIDEGATE_AGENT)
  add_executable(tidegate-bench-mqtt-null ${CMAKE_CURRENT_LIST_DIR}/mqtt_null.cc)
  target_link_libraries(tidegate-bench-mqtt-null PRIVATE PkgConfig::mosquitto)
  add_executable(tidegate-bench-kafka-raw ${CMAKE_CURRENT_LIST_DIR}/kafka_raw.cc)
  target_link_libraries(tidegate-bench-kafka-raw PRIVATE tidegate::pipeline tidegate::sim tidegate::uplink PkgConfig::rdkafka)
endif()
