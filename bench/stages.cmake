# stage_bench: CPU of each stage of the path, for each record.
if(TARGET tidegate_store_support)
  tidegate_program(stage_bench SOURCES ${CMAKE_CURRENT_LIST_DIR}/stage_bench.cc
    LINK tidegate::pipeline tidegate::sim tidegate::uplink tidegate::store_support tidegate_loop_support)
endif()
