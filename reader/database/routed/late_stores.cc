#include "reader/database/routed/late_stores.h"

namespace tidegate::reader {

namespace {
template <typename Store>
class Late {
 public:
  explicit Late(OpenLate<Store> open) : open_(std::move(open)) {}

  // Calls `call` with the store, which is opened if it is not open. Every failure to open it may
  // pass: a file may be mounted, or a name resolve, later.
  template <typename Call>
  auto With(Call call) -> decltype(call(std::declval<Store&>())) {
    if (!store_) {
      auto opened = open_();
      if (!opened.ok()) return Error{ErrorCode::kUnavailable, opened.error().message};
      store_ = std::move(opened).value();
    }
    return call(*store_);
  }

 private:
  const OpenLate<Store> open_;
  std::unique_ptr<Store> store_;
};

class LateDocuments final : public DocumentStore {
 public:
  explicit LateDocuments(OpenLate<DocumentStore> open) : late_(std::move(open)) {}

  Result<std::vector<WriteResult>> Write(std::span<const Document> documents) override {
    return late_.With([&](DocumentStore& store) { return store.Write(documents); });
  }
  Status EnsureIndexes(const Namespace& ns, std::span<const Index> indexes) override {
    return late_.With([&](DocumentStore& store) { return store.EnsureIndexes(ns, indexes); });
  }
  Result<size_t> Expire(const Namespace& ns, WallTime now, size_t limit) override {
    return late_.With([&](DocumentStore& store) { return store.Expire(ns, now, limit); });
  }
  Status Ping() override {
    return late_.With([](DocumentStore& store) { return store.Ping(); });
  }

 private:
  Late<DocumentStore> late_;
};

class LateProjections final : public ProjectionStore {
 public:
  explicit LateProjections(OpenLate<ProjectionStore> open) : late_(std::move(open)) {}

  Result<std::vector<Projection>> Load(std::span<const DocumentKey> keys) override {
    return late_.With([&](ProjectionStore& store) { return store.Load(keys); });
  }
  Result<std::vector<SaveOutcome>> Save(std::span<const Projection> projections) override {
    return late_.With([&](ProjectionStore& store) { return store.Save(projections); });
  }
  Result<std::vector<std::optional<Landed>>> FindLanded(
      std::span<const DocumentKey> keys) override {
    return late_.With([&](ProjectionStore& store) { return store.FindLanded(keys); });
  }
  Status EachLanded(const Namespace& ns, const TakeLanded& take) override {
    return late_.With([&](ProjectionStore& store) { return store.EachLanded(ns, take); });
  }
  Status Clear(const Namespace& ns) override {
    return late_.With([&](ProjectionStore& store) { return store.Clear(ns); });
  }
  Result<Offsets> ReadPositions(const std::string& database,
                                std::span<const std::string> partitions) override {
    return late_.With(
        [&](ProjectionStore& store) { return store.ReadPositions(database, partitions); });
  }
  Status WritePositions(const std::string& database, const Offsets& next, WallTime now) override {
    return late_.With(
        [&](ProjectionStore& store) { return store.WritePositions(database, next, now); });
  }

 private:
  Late<ProjectionStore> late_;
};

class LateCompletions final : public Completions {
 public:
  explicit LateCompletions(OpenLate<Completions> open) : late_(std::move(open)) {}

  Status EnsureIndex(const Namespace& ns, const std::string& mark) override {
    return late_.With([&](Completions& store) { return store.EnsureIndex(ns, mark); });
  }
  Result<std::vector<PendingDocument>> Find(const PendingQuery& query) override {
    return late_.With([&](Completions& store) { return store.Find(query); });
  }
  Result<size_t> Complete(const Namespace& ns, const std::string& mark, const std::string& into,
                          std::span<const Completion> completions) override {
    return late_.With(
        [&](Completions& store) { return store.Complete(ns, mark, into, completions); });
  }

 private:
  Late<Completions> late_;
};
}  // namespace

std::unique_ptr<DocumentStore> LateStore(OpenLate<DocumentStore> open) {
  return std::make_unique<LateDocuments>(std::move(open));
}

std::unique_ptr<ProjectionStore> LateStore(OpenLate<ProjectionStore> open) {
  return std::make_unique<LateProjections>(std::move(open));
}

std::unique_ptr<Completions> LateStore(OpenLate<Completions> open) {
  return std::make_unique<LateCompletions>(std::move(open));
}

}  // namespace tidegate::reader
