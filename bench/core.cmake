# json_bench: instructions to read a heartbeat, against cJSON (core/json/README.md).
if(NOT TARGET PkgConfig::cjson)
  pkg_check_modules(cjson IMPORTED_TARGET libcjson)
endif()
if(TARGET PkgConfig::cjson)
  tidegate_program(json_bench SOURCES ${CMAKE_CURRENT_LIST_DIR}/json_bench.cc LINK tidegate::json PkgConfig::cjson)
endif()
