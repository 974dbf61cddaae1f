// A projection as the document that is stored, and what stored documents tell of themselves; the
// same in every landing. Private to this folder; pure.
#pragma once

#include <optional>

#include "reader/database/projection_store.h"

namespace tidegate::reader {

// `_id`, the members, then `tidegate` with the next revision: what takes the stored one's place.
Object StoredForm(const Projection& projection);
Projection ReadProjection(DocumentKey key, Object stored);
// nullopt: it does not say where it came from.
std::optional<Landed> ReadLanded(const Object& stored);

}  // namespace tidegate::reader
