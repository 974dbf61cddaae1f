// Bytes from a damaged or hostile file into the batch codec: as they are, and with the checksum
// made right, so that what stands behind it is reached. What decodes must encode and decode to the
// same again.
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "store/format/batch_codec.h"

namespace tidegate {
namespace {

void DecodeAndBack(std::string_view body) {
  BatchCodec codec;
  const auto batch = codec.Decode(body);
  if (!batch.ok()) return;
  const auto again = codec.Encode(BatchView::Of(*batch));
  if (!again.ok()) return;  // Over the bounds of what is written, not of what is read.
  const auto decoded = codec.Decode(std::string(*again));
  if (!decoded.ok() || decoded->records != batch->records || decoded->arrivals != batch->arrivals ||
      decoded->inputs != batch->inputs || decoded->numbering != batch->numbering) {
    std::abort();
  }
}

}  // namespace
}  // namespace tidegate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string body(reinterpret_cast<const char*>(data), size);
  tidegate::DecodeAndBack(body);
  if (size < 8) return 0;
  body.resize(size - 8);
  const uint64_t sum = XXH64(body.data(), body.size(), 0);
  for (int shift = 0; shift < 64; shift += 8) body.push_back(static_cast<char>(sum >> shift));
  tidegate::DecodeAndBack(body);
  return 0;
}
