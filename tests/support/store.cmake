# Fakes and fixtures around the store; fault_vfs stands below SQLite.
if(TIDEGATE_AGENT)
  add_library(tidegate_store_support STATIC ${CMAKE_CURRENT_LIST_DIR}/memory_store.cc ${CMAKE_CURRENT_LIST_DIR}/fault_vfs.cc
                                            ${CMAKE_CURRENT_LIST_DIR}/store_fixture.cc ${CMAKE_CURRENT_LIST_DIR}/chain_fold.cc)
  add_library(tidegate::store_support ALIAS tidegate_store_support)
  target_link_libraries(tidegate_store_support PUBLIC tidegate::store tidegate::store_file tidegate::store_format tidegate::store_salvage tidegate::store_transaction PkgConfig::sqlite3)
  target_sources(tidegate_store_support PRIVATE ${CMAKE_CURRENT_LIST_DIR}/fault_medium.cc)
endif()
