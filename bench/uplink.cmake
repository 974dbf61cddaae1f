# uplink_bench: wire bytes, drain rate against librdkafka alone, and reconnection of the uplink (uplink/README.md).
if(TARGET tidegate_store_support)
  add_executable(uplink_bench
    ${CMAKE_CURRENT_LIST_DIR}/uplink_baseline.cc ${CMAKE_CURRENT_LIST_DIR}/uplink_bench.cc ${CMAKE_CURRENT_LIST_DIR}/uplink_cuts.cc
    ${CMAKE_CURRENT_LIST_DIR}/uplink_rig.cc)
  target_link_libraries(uplink_bench PRIVATE tidegate::uplink tidegate::store_support tidegate_loop_support tidegate_mock_kafka)
endif()
