tidegate_test(serial_test
  SOURCES serial/line_codec_test.cc serial/line_framer_test.cc serial/nmea_epoch_test.cc serial/nmea_test.cc
    serial/serial_options_test.cc
  LINK tidegate::serial tidegate::loop_support)
