#include "reader/database/sqlite/sqlite_landing.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "reader/database/sqlite/sqlite_completions.h"
#include "reader/database/sqlite/sqlite_projections.h"
#include "reader/database/sqlite/sqlite_store.h"

namespace tidegate::reader {

namespace {
class SqliteLanding final : public Landing {
 public:
  explicit SqliteLanding(std::string path) : path_(std::move(path)) {}
  bool Exists() const override {
    std::error_code error;
    return std::filesystem::exists(path_, error) || error;
  }
  Result<std::unique_ptr<DocumentStore>> NewStore(const Log&) override {
    auto store = SqliteStore::Open({.path = path_});
    if (!store.ok()) return store.error();
    return std::unique_ptr<DocumentStore>(std::move(store).value());
  }
  Result<std::unique_ptr<ProjectionStore>> NewProjections() override {
    auto store = SqliteProjections::Open({.path = path_});
    if (!store.ok()) return store.error();
    return std::unique_ptr<ProjectionStore>(std::move(store).value());
  }
  Result<std::unique_ptr<Completions>> NewCompletions() override {
    return OpenSqliteCompletions(path_);
  }

 private:
  std::string path_;
};
}  // namespace

std::unique_ptr<Landing> OpenSqliteLanding(std::string path) {
  return std::make_unique<SqliteLanding>(std::move(path));
}

}  // namespace tidegate::reader
