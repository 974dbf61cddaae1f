tidegate_test(sim_test
  SOURCES sim/fleet_test.cc sim/sim_driver_test.cc sim/sim_options_test.cc
  LINK tidegate::sim tidegate::json tidegate::loop_support)
tidegate_test(sim_program_test
  SOURCES sim/command_line_test.cc sim/publish_run_test.cc
  LINK tidegate::sim_program tidegate::loop_support)
tidegate_test(sim_publish_test LABEL integration
  SOURCES sim/http_publisher_test.cc sim/mqtt_publisher_test.cc serial/child.cc
  LINK tidegate::sim_program tidegate::json)
target_compile_definitions(sim_publish_test PRIVATE TIDEGATE_SIM="$<TARGET_FILE:tidegate-sim>")
add_dependencies(sim_publish_test tidegate-sim)
