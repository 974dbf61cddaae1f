tidegate_test(uri_test
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/uri_test.cc
  LINK tidegate::drivers)
