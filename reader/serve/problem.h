// Answers as application/problem+json (RFC 9457). Pure.
#pragma once

#include <string_view>

#include "core/http/server.h"
#include "core/result.h"

namespace tidegate::reader {

// `detail` is for people and may be empty.
http::Response Problem(int status, std::string_view detail);
// kInvalid 400, kRejected 403, everything else 503 with Retry-After; a 503 keeps its cause to
// itself, which may name what the asker should not know.
http::Response Problem(const Error& error);

}  // namespace tidegate::reader
