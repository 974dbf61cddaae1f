# Preloaded into the programs of the integration tests, and into what starts them: without sanitizers.
if(TIDEGATE_AGENT)
  add_library(clock_shim MODULE ${CMAKE_CURRENT_LIST_DIR}/clock_shim/clock_shim.cc)
  target_compile_features(clock_shim PRIVATE cxx_std_20)
  target_compile_options(clock_shim PRIVATE -fno-sanitize=all)
  target_link_options(clock_shim PRIVATE -fno-sanitize=all)
  set_target_properties(clock_shim PROPERTIES PREFIX "" CXX_CLANG_TIDY "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endif()
