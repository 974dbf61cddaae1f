tidegate_library(loop_support
  SOURCES fake_clock.cc loop_parts.cc manual_loop.cc poll_loop.cc
  PUBLIC tidegate::core)
