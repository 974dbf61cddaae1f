tidegate_test(sim_test
  SOURCES sim/fleet_test.cc sim/sim_driver_test.cc sim/sim_options_test.cc
  LINK tidegate::sim tidegate::json tidegate::loop_support)
