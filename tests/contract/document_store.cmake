if(TIDEGATE_READER)
  tidegate_test(document_store_contract_test
    SOURCES document_store_contract_test.cc
    LINK tidegate::database_routed tidegate::landing tidegate::mongo_stub tidegate::reader_support)
  tidegate_test(projection_store_contract_test
    SOURCES projection_store_contract_test.cc
    LINK tidegate::database_routed tidegate::landing tidegate::mongo_stub tidegate::reader_support)
  tidegate_test(query_store_contract_test
    SOURCES query_store_contract_test.cc
    LINK tidegate::database_routed tidegate::landing tidegate::json tidegate::reader_support)
endif()
