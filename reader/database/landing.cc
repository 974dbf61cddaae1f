#include "reader/database/landing.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "reader/database/mongo/mongo_store.h"
#include "reader/database/sqlite/sqlite_completions.h"
#include "reader/database/sqlite/sqlite_projections.h"
#include "reader/database/sqlite/sqlite_store.h"

namespace tidegate::reader {

namespace {
constexpr std::string_view kSqlite = "sqlite:";

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

class MongoLanding final : public Landing {
 public:
  explicit MongoLanding(std::unique_ptr<MongoPool> pool) : pool_(std::move(pool)) {}
  Result<std::unique_ptr<DocumentStore>> NewStore(const Log& log) override {
    return pool_->NewStore(log);
  }
  Result<std::unique_ptr<Completions>> NewCompletions() override { return pool_->NewCompletions(); }
  Result<std::unique_ptr<ProjectionStore>> NewProjections() override {
    return pool_->NewProjections();
  }

 private:
  std::unique_ptr<MongoPool> pool_;
};
}  // namespace

Result<std::unique_ptr<Landing>> OpenLanding(const std::string& uri,
                                             const LandingOptions& options) {
  if (uri.starts_with(kSqlite)) {
    std::string path = uri.substr(kSqlite.size());
    if (path.empty()) return Error{ErrorCode::kInvalid, "sqlite: needs the name of a file"};
    return std::unique_ptr<Landing>(std::make_unique<SqliteLanding>(std::move(path)));
  }
  if (!uri.starts_with("mongodb://") && !uri.starts_with("mongodb+srv://")) {
    return Error{ErrorCode::kInvalid,
                 "not of the form sqlite:PATH, mongodb://... or mongodb+srv://..."};
  }
  auto pool = MongoPool::Open({.uri = uri, .answer_within = options.answer_within});
  if (!pool.ok()) return pool.error();
  return std::unique_ptr<Landing>(std::make_unique<MongoLanding>(std::move(pool).value()));
}

std::string DatabaseOf(const std::string& uri) {
  return uri.starts_with("mongodb") ? DatabaseOfUri(uri) : std::string();
}

std::string WithoutPassword(const std::string& uri) {
  const size_t scheme = uri.find("://");
  if (scheme == std::string::npos) return uri;
  // A password that was not percent-encoded may hold any of the characters that follow it: hide up
  // to the last '@'.
  const size_t user = scheme + 3;
  const size_t at = uri.rfind('@');
  const size_t colon = uri.find(':', user);
  if (at == std::string::npos || colon == std::string::npos || colon > at) return uri;
  return uri.substr(0, colon) + ":***" + uri.substr(at);
}

}  // namespace tidegate::reader
