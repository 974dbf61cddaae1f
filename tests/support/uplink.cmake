tidegate_library(uplink_support
  SOURCES scripted_transport.cc
  PUBLIC tidegate::core tidegate::wire)
