// A document as JSON text, with times as UTC text that sorts. Pure.
#pragma once

#include <string>

#include "reader/database/document.h"

namespace tidegate::reader {

std::string DocumentJson(const Document& document);

}  // namespace tidegate::reader
