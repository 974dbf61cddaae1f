#include "reader/database/routed/routed_completions.h"

#include <utility>

namespace tidegate::reader {

namespace {
class RoutedCompletions final : public Completions {
 public:
  explicit RoutedCompletions(ByDatabase<Completions> stores) : stores_(std::move(stores)) {}

  Status EnsureIndex(const Namespace& ns, const std::string& mark) override {
    return stores_.Of(ns.database).EnsureIndex(ns, mark);
  }
  Result<std::vector<PendingDocument>> Find(const PendingQuery& query) override {
    return stores_.Of(query.ns.database).Find(query);
  }
  Result<size_t> Complete(const Namespace& ns, const std::string& mark, const std::string& into,
                          std::span<const Completion> completions) override {
    return stores_.Of(ns.database).Complete(ns, mark, into, completions);
  }

 private:
  ByDatabase<Completions> stores_;
};
}  // namespace

std::unique_ptr<Completions> RouteCompletions(ByDatabase<Completions> stores) {
  return std::make_unique<RoutedCompletions>(std::move(stores));
}

}  // namespace tidegate::reader
