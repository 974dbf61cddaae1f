// Completions whose databases may be on servers of their own. Private to this folder.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "reader/landing/completions.h"

namespace tidegate::reader {

// `own` by database; all others are in `common`.
std::unique_ptr<Completions> RouteCompletions(
    std::unique_ptr<Completions> common, std::map<std::string, std::unique_ptr<Completions>> own);

}  // namespace tidegate::reader
