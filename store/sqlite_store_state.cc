// What SqliteStore keeps beside its batches: the fold's snapshot, and small named values.
#include <fmt/format.h>

#include "store/file/schema.h"
#include "store/format/snapshot_body.h"
#include "store/sqlite_store_impl.h"

namespace tidegate {
namespace {

constexpr size_t kMaxValueBytes = 16 << 10;

std::string ValueName(std::string_view name) {
  return fmt::format("{}{}", kStateValuePrefix, name);
}

}  // namespace

// nullopt in a slot: empty or damaged; the books, read at each opening, tell of damage once.
Result<SqliteStore::Impl::SnapshotSlots> SqliteStore::Impl::ReadSnapshots(bool tell) {
  SnapshotSlots slots;
  for (size_t i = 0; i < slots.size(); ++i) {
    const auto bytes = ReadState(handle_->database(), kStateSnapshots[i]);
    if (!bytes.ok()) return bytes.error();
    if (!*bytes) continue;
    auto snapshot = DecodeSnapshot(**bytes);
    if (snapshot.ok()) {
      slots[i] = *std::move(snapshot);
    } else if (tell) {
      CountSnapshotError("does not read: " + snapshot.error().message);
    }
  }
  return slots;
}

Result<std::optional<Snapshot>> SqliteStore::Impl::LoadSnapshot() {
  if (auto status = EnsureOpen(); !status.ok()) return status.error();
  auto slots = ReadSnapshots(false);
  if (!slots.ok()) return Reopen(slots.error());
  auto& [first, second] = *slots;
  return first && (!second || first->through > second->through) ? std::move(first)
                                                                : std::move(second);
}

// The books say how far the snapshots reach, and how much has come since.
Status SqliteStore::Impl::ReadSnapshotBooks(StoreBook& book) {
  const auto slots = ReadSnapshots(true);
  if (!slots.ok()) return slots.error();
  for (size_t i = 0; i < slots->size(); ++i) {
    if (!(*slots)[i] || (*slots)[i]->through < book.covered) continue;
    book.covered = (*slots)[i]->through;
    book.snapshot_slot = i;
  }
  for (const RecordClass record_class : kRecordClasses) {
    if (!IsReplayable(record_class)) continue;
    const auto behind =
        handle_->batches().CountAfter(record_class, book.covered, options_.max_replay_batches);
    if (!behind.ok()) return behind.error();
    book.batches_behind_snapshot += *behind;
  }
  return {};
}

Result<std::optional<Batch>> SqliteStore::Impl::Replay(RecordClass record_class, Seq after) {
  if (auto status = EnsureOpen(); !status.ok()) return status.error();
  for (;;) {
    auto row = handle_->batches().After(record_class, after);
    if (!row.ok()) return Reopen(row.error());
    if (!*row) return std::optional<Batch>();
    after = SeqOf((*row)->key);
    auto batch = DecodeRow(**row);
    if (batch.ok()) return std::optional<Batch>(*std::move(batch));
  }
}

Result<std::optional<std::string>> SqliteStore::Impl::ReadValue(std::string_view name) {
  if (auto status = EnsureOpen(); !status.ok()) return status.error();
  auto value = ReadState(handle_->database(), ValueName(name));
  if (!value.ok()) return Reopen(value.error());
  return value;
}

Status SqliteStore::Impl::WriteValue(std::string_view name, std::string_view body) {
  if (body.size() > kMaxValueBytes) {
    return Error{ErrorCode::kRejected, fmt::format("write {}: {} bytes are more than {}", name,
                                                   body.size(), kMaxValueBytes)};
  }
  if (auto status = EnsureOpen(); !status.ok()) return status;
  return Write(Stamp(), [&](StoreWriter&) {
    return WriteState(handle_->database(), ValueName(name), body);
  });
}

}  // namespace tidegate
