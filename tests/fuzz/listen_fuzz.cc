// An address to listen on: refused with a message, or one that reads back from its parts.
#include <fmt/format.h>

#include "core/http/server.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using tidegate::fuzz::Check;
  const auto options = tidegate::http::ParseListen(tidegate::fuzz::TextOf(data, size));
  if (!options.ok()) {
    Check(!options.error().message.empty(), "a refusal has a message");
    return 0;
  }
  const bool v6 = options->address.find(':') != std::string::npos;
  const auto again = tidegate::http::ParseListen(
      fmt::format("{}{}{}:{}", v6 ? "[" : "", options->address, v6 ? "]" : "", options->port));
  Check(again.ok() && again->address == options->address && again->port == options->port,
        "an address reads back");
  return 0;
}
