if(TIDEGATE_READER)
  tidegate_test(completions_contract_test
    SOURCES completions_contract_test.cc
    LINK tidegate::landing tidegate::reader_support)
endif()
