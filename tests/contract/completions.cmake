if(TIDEGATE_READER)
  tidegate_test(completions_contract_test
    SOURCES completions_contract_test.cc
    LINK tidegate::database_routed tidegate::landing tidegate::reader_support)
endif()
