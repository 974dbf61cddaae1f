// Answers that refuse a request, as application/problem+json (RFC 9457). Pure.
#pragma once

#include <string_view>

#include "core/http/server.h"
#include "core/result.h"

namespace tidegate::reader {

// `detail` is for people; empty: the member is left out.
http::Response Problem(int status, std::string_view detail);
// kInvalid becomes 400, kRejected 403, kFull (it took too long) 504, everything else 503 with
// Retry-After. A 503 does not show the error's message, which may name what the caller must not
// know.
http::Response Problem(const Error& error);

}  // namespace tidegate::reader
