#include "reader/database/landing.h"

#include <utility>

#include "reader/database/mongo/mongo_landing.h"
#include "reader/database/sqlite/sqlite_landing.h"

namespace tidegate::reader {

namespace {
constexpr std::string_view kSqlite = "sqlite:";
}  // namespace

Result<std::unique_ptr<Landing>> OpenLanding(const std::string& uri,
                                             const LandingOptions& options) {
  if (uri.starts_with(kSqlite)) {
    std::string path = uri.substr(kSqlite.size());
    if (path.empty()) return Error{ErrorCode::kInvalid, "sqlite: needs the name of a file"};
    return OpenSqliteLanding(std::move(path));
  }
  if (!uri.starts_with("mongodb://") && !uri.starts_with("mongodb+srv://")) {
    return Error{ErrorCode::kInvalid,
                 "not of the form sqlite:PATH, mongodb://... or mongodb+srv://..."};
  }
  return OpenMongoLanding(uri, options);
}

std::string DatabaseOf(const std::string& uri) {
  return uri.starts_with("mongodb") ? DatabaseOfUri(uri) : std::string();
}

std::vector<std::string> LandingWarnings(const std::string& uri) {
  return uri.starts_with("mongodb") ? WarningsAboutUri(uri) : std::vector<std::string>();
}

std::string WithoutPassword(const std::string& uri) {
  const size_t scheme = uri.find("://");
  if (scheme == std::string::npos) return uri;
  // A password that was not percent-encoded may hold an '@' itself: hide everything up to the last.
  const size_t user = scheme + 3;
  const size_t at = uri.rfind('@');
  const size_t colon = uri.find(':', user);
  if (at == std::string::npos || colon == std::string::npos || colon > at) return uri;
  return uri.substr(0, colon) + ":***" + uri.substr(at);
}

}  // namespace tidegate::reader
