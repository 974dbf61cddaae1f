tidegate_test(serial_test
  SOURCES serial/byte_stream_test.cc serial/line_codec_test.cc serial/line_framer_test.cc serial/nmea_epoch_test.cc
    serial/nmea_test.cc serial/pseudo_terminal.cc serial/scripted_stream.cc serial/serial_driver_test.cc
    serial/serial_options_test.cc
  LINK tidegate::serial tidegate::loop_support)
tidegate_test(serial_pty_test LABEL integration
  SOURCES serial/child.cc serial/serial_pty_test.cc
  LINK tidegate::serial tidegate::loop_support)
