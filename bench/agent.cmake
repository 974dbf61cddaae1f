# The baselines that agent.py measures the agent against.
if(TIDEGATE_AGENT)
  add_library(tidegate_bench_messages STATIC ${CMAKE_CURRENT_LIST_DIR}/messages.cc)
  target_link_libraries(tidegate_bench_messages PUBLIC tidegate::wire PRIVATE tidegate::pipeline tidegate::sim)
  add_executable(tidegate-bench-mqtt-null ${CMAKE_CURRENT_LIST_DIR}/mqtt_null.cc)
  target_link_libraries(tidegate-bench-mqtt-null PRIVATE PkgConfig::mosquitto)
  add_executable(tidegate-bench-kafka-raw ${CMAKE_CURRENT_LIST_DIR}/kafka_raw.cc)
  target_link_libraries(tidegate-bench-kafka-raw PRIVATE tidegate_bench_messages tidegate::uplink PkgConfig::rdkafka)
endif()
