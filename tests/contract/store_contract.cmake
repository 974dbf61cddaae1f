if(TIDEGATE_AGENT)
  tidegate_test(store_contract_test SOURCES ${CMAKE_CURRENT_LIST_DIR}/store_contract_test.cc
                LINK tidegate::store_support)
endif()
