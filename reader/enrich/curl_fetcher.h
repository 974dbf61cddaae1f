// Fetches with libcurl's multi interface: GET, verified certificates, no redirects, no proxy, no
// cookies, replies up to kMaxReplyBytes. Where private targets are not allowed, the address is
// checked when the socket is made, so that no name can lead elsewhere between look-up and connect.
// One thread, as fetcher.h says.
#pragma once

#include <memory>

#include "core/result.h"
#include "reader/enrich/fetcher.h"

namespace tidegate::reader {

// kUnavailable: libcurl cannot be set up.
Result<std::unique_ptr<Fetcher>> MakeCurlFetcher();

}  // namespace tidegate::reader
