// Ownership of a cJSON tree. Private to this folder.
#pragma once

#include <cjson/cJSON.h>

#include <memory>

namespace tidegate::json {

struct CJsonDelete {
  void operator()(cJSON* tree) const { cJSON_Delete(tree); }
};
using CJsonHandle = std::unique_ptr<cJSON, CJsonDelete>;

}  // namespace tidegate::json
