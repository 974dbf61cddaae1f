if(TIDEGATE_AGENT)
  add_executable(tidegate-bench-mqtt-null ${CMAKE_CURRENT_LIST_DIR}/mqtt_null.cc)
  target_link_libraries(tidegate-bench-mqtt-null PRIVATE PkgConfig::mosquitto)
endif()
