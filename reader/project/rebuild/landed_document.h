// A landed document as the folds saw it when its message came. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "reader/database/document.h"

namespace tidegate::reader {

// `text`: the stored document as JSON, with times as text. Members that the landing added are among
// its value's. nullopt: nothing says which message it came from, or when.
std::optional<Document> ReadLandedDocument(const Namespace& ns, std::string_view text);

}  // namespace tidegate::reader
