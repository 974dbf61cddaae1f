# stage_bench: CPU of each stage of the path, for each record.
add_library(tidegate_bench_stages STATIC ${CMAKE_CURRENT_LIST_DIR}/stage_run.cc)
target_link_libraries(tidegate_bench_stages PUBLIC tidegate::core)
if(TARGET tidegate_store_support)
  tidegate_program(stage_bench SOURCES ${CMAKE_CURRENT_LIST_DIR}/stage_bench.cc
    LINK tidegate_bench_stages tidegate::pipeline tidegate::sim tidegate::uplink tidegate::store_support tidegate_loop_support)
endif()
