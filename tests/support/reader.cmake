if(TIDEGATE_READER)
  tidegate_library(reader_support
    SOURCES mock_kafka.cc raw_http_server.cc reader/fake_document_store.cc reader/fake_parking.cc reader/fake_query_store.cc reader/fake_source.cc
            reader/kafka_log.cc reader/memory_projection_store.cc reader/reader_documents.cc
    PUBLIC tidegate::landing tidegate::reader_land tidegate::loop_support
    PRIVATE tidegate::json tidegate::kafka)
endif()
