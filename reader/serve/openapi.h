// Describes the API as an OpenAPI 3.0 document, made from the table that routes. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tidegate::reader {

std::string OpenApi(std::string_view version);

}  // namespace tidegate::reader
