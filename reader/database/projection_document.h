// Converts a projection to its stored document and back, and reads the origin of landed documents.
// The same for every landing. Private to this folder; pure.
#pragma once

#include <optional>

#include "reader/database/projection_store.h"

namespace tidegate::reader {

// Returns the document that replaces the stored one: `_id`, the members, then `tidegate` with the
// next revision.
Object StoredForm(const Projection& projection);
// An empty object is a projection that is not stored yet.
Projection ReadProjection(DocumentKey key, Object stored);
// nullopt: the document does not name its message.
std::optional<Landed> ReadLanded(const Object& stored);

}  // namespace tidegate::reader
