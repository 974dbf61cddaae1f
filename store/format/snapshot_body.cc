#include "store/format/snapshot_body.h"

#include <fmt/format.h>

#include "core/check.h"
#include "core/varint.h"
#include "store/format/checksum.h"
#include "store/format/store_totals.h"

namespace tidegate {
namespace {

constexpr uint8_t kSnapshotMagic = 0xB8;
constexpr uint8_t kVersion = 1;

Error Corrupt(std::string_view what) {
  return {ErrorCode::kCorrupt, fmt::format("snapshot: {}", what)};
}

}  // namespace

std::string EncodeSnapshot(std::string_view body, Seq through) {
  CHECK(through < kMaxNextSeq, "a snapshot reaches to a seq that a store can have");
  std::string out;
  out.push_back(static_cast<char>(kSnapshotMagic));
  out.push_back(static_cast<char>(kVersion));
  PutVarint(out, through);
  out.append(body);
  AppendChecksum(out);
  return out;
}

Result<Snapshot> DecodeSnapshot(std::string_view bytes) {
  const auto checked = CheckedBytes(bytes);
  if (!checked) return Corrupt("checksum does not match");
  ByteReader reader(*checked);
  const auto magic = reader.Byte();
  const auto version = reader.Byte();
  const auto through = reader.Varint();
  if (magic != kSnapshotMagic || !through) return Corrupt("not one");
  if (version != kVersion) return Corrupt(fmt::format("version {} is unknown", *version));
  if (*through >= kMaxFoundSeq) return Corrupt("impossible seq");
  return Snapshot{std::string(*reader.Bytes(reader.left())), *through};
}

}  // namespace tidegate
