# The fleet that it stores comes from the tests' fixture.
if(TARGET tidegate_store_support)
  tidegate_program(store_bench SOURCES ${CMAKE_CURRENT_LIST_DIR}/store_bench.cc LINK tidegate::store_support)
endif()
