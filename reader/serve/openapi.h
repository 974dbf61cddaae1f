// The description of the API in OpenAPI 3.0, made from the table that routes. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tidegate::reader {

std::string OpenApi(std::string_view version);

}  // namespace tidegate::reader
