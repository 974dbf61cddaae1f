if(TIDEGATE_READER)
  tidegate_library(reader_support
    SOURCES fake_document_store.cc reader_documents.cc
    PUBLIC tidegate::landing)
endif()
