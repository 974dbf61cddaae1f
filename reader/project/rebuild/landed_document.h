// Reads a landed document back as the folds saw it when its message arrived. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "reader/database/document.h"
#include "reader/decode/stream.h"

namespace tidegate::reader {

// `text` is the stored document as JSON, with times as text. The returned value holds the members
// that the landing added, too. Its stream is the one of `streams` that follows its topic, or null.
// nullopt: the document does not name the message that it came from, or its time.
std::optional<Document> ReadLandedDocument(const Namespace& ns, std::string_view text,
                                           const StreamTable& streams);

}  // namespace tidegate::reader
