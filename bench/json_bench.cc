// What it costs to read one heartbeat of 350 bytes with core/json's scanner and with cJSON:
//
//   scanner  json::Document::Parse, which copies the text, and the end of the document
//   cjson    cJSON_ParseWithLength and cJSON_Delete
//
// Arguments: one of these names and how often. Count instructions under valgrind, and subtract
// those of a run with 0:
//
//   valgrind --tool=callgrind --callgrind-out-file=/dev/null json_bench scanner 20000
#include <cjson/cJSON.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "core/json/json.h"

namespace tidegate {
namespace {

constexpr std::string_view kHeartbeat =
    R"({"event_id":"01890f5e-7b1c-7cc2-98c4-dc0c0c07398f","tenant_id":"acme","asset_id":"truck-42",)"
    R"("timestamp":"2025-06-23T00:37:01.000Z","location":{"latitude":48.137154,"longitude":11.576124,)"
    R"("altitude":519.5},"speed":63.25,"heading":271.5,"odometer_km":183402.7,"fuel_level":0.6125,)"
    R"("engine_rpm":1850,"temperature_c":87.5,"ignition":true,"status":"moving"})";
static_assert(kHeartbeat.size() == 350);

struct CjsonDelete {
  void operator()(cJSON* json) const { cJSON_Delete(json); }
};

bool ReadWithScanner() {
  const auto document = json::Document::Parse(kHeartbeat);
  return document.ok() && document->root().is_object();
}

bool ReadWithCjson() {
  const std::unique_ptr<cJSON, CjsonDelete> json(
      cJSON_ParseWithLength(kHeartbeat.data(), kHeartbeat.size()));
  return cJSON_IsObject(json.get()) != 0;
}

int Run(std::string_view name, long count) {
  const auto read = name == "scanner" ? ReadWithScanner : name == "cjson" ? ReadWithCjson : nullptr;
  if (read == nullptr || count < 0) {
    std::fprintf(stderr, "usage: json_bench scanner|cjson COUNT\n");
    return 2;
  }
  for (long i = 0; i < count; ++i) {
    if (!read()) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace tidegate

int main(int argc, char** argv) {
  return tidegate::Run(argc == 3 ? argv[1] : "", argc == 3 ? std::atol(argv[2]) : -1);
}
