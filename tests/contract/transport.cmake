if(TIDEGATE_AGENT)
  tidegate_test(transport_contract_test
    SOURCES transport_contract_test.cc transport_scripted.cc transport_kafka.cc
    LINK tidegate::uplink tidegate_uplink_support tidegate_loop_support tidegate_mock_kafka)
endif()
