// What became of the documents of one write, by tenant and for the streams that have counters of
// their own. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string_view>

#include "reader/database/document_store.h"

namespace tidegate::reader {

struct Outcomes {
  size_t landed = 0;
  size_t duplicates = 0;
  size_t failed = 0;  // Refused, or to be tried again.
};

struct WriteTally {
  Outcomes all;
  Outcomes sales;                                  // Of streams of the kind sales.
  std::map<std::string_view, size_t> by_tenant{};  // Landed; points into the documents.
};

// REQUIRES: there is one result for each document, and each document carries its stream.
WriteTally TallyWrite(std::span<const Document> documents, std::span<const WriteResult> results);

}  // namespace tidegate::reader
