#include "reader/landing/routed_completions.h"

#include <utility>

namespace tidegate::reader {

namespace {
class RoutedCompletions final : public Completions {
 public:
  using ByDatabase = std::map<std::string, std::unique_ptr<Completions>>;

  RoutedCompletions(std::unique_ptr<Completions> common, ByDatabase own)
      : common_(std::move(common)), own_(std::move(own)) {}

  Status EnsureIndex(const Namespace& ns, const std::string& mark) override {
    return Of(ns).EnsureIndex(ns, mark);
  }
  Result<std::vector<PendingDocument>> Find(const PendingQuery& query) override {
    return Of(query.ns).Find(query);
  }
  Result<size_t> Complete(const Namespace& ns, const std::string& mark, const std::string& into,
                          std::span<const Completion> completions) override {
    return Of(ns).Complete(ns, mark, into, completions);
  }

 private:
  Completions& Of(const Namespace& ns) {
    const auto own = own_.find(ns.database);
    return own == own_.end() ? *common_ : *own->second;
  }

  std::unique_ptr<Completions> common_;
  ByDatabase own_;
};
}  // namespace

std::unique_ptr<Completions> RouteCompletions(
    std::unique_ptr<Completions> common, std::map<std::string, std::unique_ptr<Completions>> own) {
  return std::make_unique<RoutedCompletions>(std::move(common), std::move(own));
}

}  // namespace tidegate::reader
