set(mqtt_dir ${CMAKE_CURRENT_LIST_DIR}/mqtt)
tidegate_test(mqtt_parts_test
  SOURCES ${mqtt_dir}/intake_test.cc ${mqtt_dir}/mqtt_options_test.cc ${mqtt_dir}/channel/packet_filter_test.cc ${mqtt_dir}/channel/packet_pipe_test.cc ${mqtt_dir}/resolver_test.cc ${mqtt_dir}/session_record_test.cc
          ${mqtt_dir}/topic_template_test.cc ${mqtt_dir}/version_choice_test.cc ${mqtt_dir}/window_test.cc
  LINK tidegate::driver_mqtt tidegate::mqtt_channel tidegate::loop_support)
tidegate_test(mqtt_driver_test
  SOURCES ${mqtt_dir}/mqtt_connecting_test.cc ${mqtt_dir}/mqtt_driver_test.cc ${mqtt_dir}/mqtt_subscription_test.cc
  LINK tidegate::driver_mqtt tidegate::loop_support tidegate::mqtt_support)
tidegate_test(mqtt_keepalive_test LABEL integration
  SOURCES ${mqtt_dir}/mqtt_keepalive_test.cc
  LINK tidegate::driver_mqtt tidegate::loop_support tidegate::mqtt_support)
tidegate_test(mqtt_mosquitto_test LABEL integration
  SOURCES ${mqtt_dir}/mqtt_mosquitto_test.cc
  LINK tidegate::driver_mqtt tidegate::loop_support tidegate::mqtt_support PkgConfig::mosquitto)
tidegate_test(mqtt_throughput_test LABEL integration
  SOURCES ${mqtt_dir}/mqtt_throughput_test.cc
  LINK tidegate::driver_mqtt tidegate::loop_support tidegate::mqtt_support PkgConfig::mosquitto)
