// How many documents of one write landed, were there already, or failed: in all, for the streams
// that have counters of their own, and by tenant. Pure; any thread.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string_view>

#include "reader/database/document_store.h"

namespace tidegate::reader {

struct WriteCounts {
  size_t landed = 0;
  size_t duplicates = 0;
  // The database refused them, or they are to be written again.
  size_t failed = 0;
  // Their database did not answer.
  size_t unavailable = 0;
};

struct WriteTally {
  WriteCounts all;
  // Of streams of the kind `sales`.
  WriteCounts sales;
  // The landed documents of each tenant; the keys point into the documents.
  std::map<std::string_view, size_t> by_tenant{};
};

// REQUIRES: there is one result for each document, and each document carries its stream.
WriteTally TallyWrite(std::span<const Document> documents, std::span<const WriteResult> results);

}  // namespace tidegate::reader
