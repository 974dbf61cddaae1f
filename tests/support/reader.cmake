if(TIDEGATE_READER)
  tidegate_library(reader_support
    SOURCES fake_document_store.cc fake_query_store.cc fake_source.cc kafka_log.cc memory_projection_store.cc mock_kafka.cc
            raw_http_server.cc reader_documents.cc
    PUBLIC tidegate::landing tidegate::query tidegate::reader tidegate::loop_support
    PRIVATE tidegate::json tidegate::kafka)
endif()
