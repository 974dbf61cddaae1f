// Documents and streams for tests.
#pragma once

#include <string>
#include <string_view>

#include "reader/database/document.h"
#include "reader/decode/stream.h"

namespace tidegate::reader {

// A heartbeat of truck-1 of the tenant acme, by way of gw-1. REQUIRES: `value` is a JSON object.
Document MakeDocument(std::string_view id, std::string_view value,
                      Namespace ns = {"fleet", "heartbeats"});

// The streams that are built in.
StreamTable BuiltInTable();

// A new empty folder that is removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string File(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

}  // namespace tidegate::reader
