// A Store that passes every call to another one, which may be exchanged. Tests override the calls
// that must behave differently. One thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "store/store.h"

namespace tidegate {

class StoreProxy : public Store {
 public:
  explicit StoreProxy(Store& store) : store_(&store) {}
  void PassTo(Store& store) { store_ = &store; }

  Result<Seq> Append(const AppendRequest& request) override { return store_->Append(request); }
  Result<std::optional<Batch>> Next(const Cursor& after) override { return store_->Next(after); }
  void Delivered(RecordClass record_class, Seq first_seq) override {
    store_->Delivered(record_class, first_seq);
  }
  void Park(RecordClass record_class, Seq first_seq) override {
    store_->Park(record_class, first_seq);
  }
  Status Flush() override { return store_->Flush(); }
  void SetSnapshotSource(SnapshotSource source) override {
    store_->SetSnapshotSource(std::move(source));
  }
  Result<std::optional<Snapshot>> LoadSnapshot() override { return store_->LoadSnapshot(); }
  Result<std::optional<Batch>> Replay(RecordClass record_class, Seq after) override {
    return store_->Replay(record_class, after);
  }
  Result<std::optional<std::string>> ReadValue(std::string_view name) override {
    return store_->ReadValue(name);
  }
  Status WriteValue(std::string_view name, std::string_view body) override {
    return store_->WriteValue(name, body);
  }
  const std::string& epoch() const override { return store_->epoch(); }
  StoreUsage Usage() const override { return store_->Usage(); }

 private:
  Store* store_;
};

}  // namespace tidegate
