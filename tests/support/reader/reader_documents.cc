#include "tests/support/reader/reader_documents.h"

#include <stdlib.h>
#include <cassert>

#include <filesystem>

#include "core/check.h"
#include "core/time_format.h"

namespace tidegate::reader {

Document MakeDocument(std::string_view id, std::string_view value, Namespace ns) {
  auto parsed = json::Document::Parse(value);
  CHECK(parsed.ok(), "the value of a test's document is JSON");
  Provenance provenance;
  provenance.gateway = "gw-1";
  provenance.sequence_id = "gw-1:e1:7";
  provenance.topic = "telematics.raw.telematics_heartbeat";
  provenance.partition = 2;
  provenance.offset = 5'000'000'000;
  provenance.received_at = *ParseTime("2025-06-23T00:37:02.000Z");
  return {.stream = &BuiltInStreams().front(),
          .ns = std::move(ns),
          .id = std::string(id),
          .value = std::move(parsed).value(),
          .tenant = "acme",
          .asset = "truck-1",
          .time = *ParseTime("2025-06-23T00:37:01.000Z"),
          .provenance = std::move(provenance)};
}

StreamTable BuiltInTable() {
  return StreamTable::Make({BuiltInStreams().begin(), BuiltInStreams().end()}).value();
}

TemporaryFolder::TemporaryFolder() {
  std::string name = std::filesystem::temp_directory_path() / "tidegate-XXXXXX";
  path_ = ::mkdtemp(name.data()) ? name : std::string();
  CHECK(!path_.empty(), "a test can make a temporary folder");
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace tidegate::reader
