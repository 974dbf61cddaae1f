// The URI of an input, and the options of each driver behind it.
#include "drivers/mqtt/mqtt_options.h"
#include "drivers/serial/serial_options.h"
#include "drivers/uri.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto uri = tidegate::ParseUri(tidegate::fuzz::TextOf(data, size));
  if (!uri.ok()) {
    tidegate::fuzz::Check(!uri.error().message.empty(), "it says why");
    return 0;
  }
  const tidegate::Input input{.name = "fuzz", .tenant = "", .asset = "a", .record_class = {}};
  if (uri->scheme == "mqtt" || uri->scheme == "mqtts")
    (void)tidegate::ParseMqttOptions(input, *uri).ok();
  if (uri->scheme == "serial") (void)tidegate::ParseSerialOptions(input, *uri).ok();
  return 0;
}
