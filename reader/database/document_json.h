// Writes a document as JSON text. Times are UTC text of fixed width, which sorts by time. Pure.
#pragma once

#include <string>

#include "reader/database/document.h"

namespace tidegate::reader {

std::string DocumentJson(const Document& document);

}  // namespace tidegate::reader
