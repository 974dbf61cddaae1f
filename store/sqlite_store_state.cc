// What SqliteStore keeps beside its batches: the fold's snapshot, and small named values.
#include "store/schema.h"
#include "store/sqlite_store_impl.h"

namespace tidegate {

Result<std::optional<Snapshot>> SqliteStore::Impl::LoadSnapshot() {
  return std::optional<Snapshot>();
}

Result<std::optional<Batch>> SqliteStore::Impl::Replay(RecordClass record_class, Seq after) {
  if (auto status = EnsureOpen(); !status.ok()) return status.error();
  for (;;) {
    auto row = handle_->batches().After(record_class, after);
    if (!row.ok()) return Reopen(row.error());
    if (!*row) return std::optional<Batch>();
    after = SeqOf((*row)->key);
    auto batch = codec_.Decode((*row)->body);
    if (!batch.ok()) continue;
    if (batch->numbering && batch->numbering->epoch == origin_.epoch) batch->numbering.reset();
    return std::optional<Batch>(*std::move(batch));
  }
}

Result<std::optional<std::string>> SqliteStore::Impl::ReadValue(std::string_view name) {
  if (auto status = EnsureOpen(); !status.ok()) return status.error();
  auto value = ReadState(handle_->database(), std::string("value.") + std::string(name));
  if (!value.ok()) return Reopen(value.error());
  return value;
}

Status SqliteStore::Impl::WriteValue(std::string_view name, std::string_view body) {
  if (auto status = EnsureOpen(); !status.ok()) return status;
  return Write(Stamp(), [&](StoreWriter&) {
    return WriteState(handle_->database(), std::string("value.") + std::string(name), body);
  });
}

}  // namespace tidegate
