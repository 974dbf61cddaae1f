// Owns what cJSON allocates. Private to this folder.
#pragma once

#include <cjson/cJSON.h>

#include <memory>

namespace tidegate::json {

struct CJsonDelete {
  void operator()(cJSON* item) const { cJSON_Delete(item); }
};
// One item with all that is in it, until it becomes part of a larger one.
using CJsonPtr = std::unique_ptr<cJSON, CJsonDelete>;

struct CJsonTextDelete {
  void operator()(char* text) const { cJSON_free(text); }
};
// A text that cJSON has printed.
using CJsonTextPtr = std::unique_ptr<char, CJsonTextDelete>;

}  // namespace tidegate::json
