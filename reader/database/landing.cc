#include "reader/database/landing.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/ascii.h"
#include "reader/database/mongo/mongo_eraser.h"
#include "reader/database/mongo/mongo_landing.h"
#include "reader/database/sqlite/sqlite_eraser.h"
#include "reader/database/sqlite/sqlite_landing.h"

namespace tidegate::reader {

namespace {
constexpr std::string_view kSqlite = "sqlite:";

// The options of a MongoDB URI whose values are shown, in lower case. Any other may be a secret.
constexpr std::array<std::string_view, 32> kShown{"appname",
                                                  "authmechanism",
                                                  "authsource",
                                                  "compressors",
                                                  "connecttimeoutms",
                                                  "directconnection",
                                                  "heartbeatfrequencyms",
                                                  "journal",
                                                  "loadbalanced",
                                                  "localthresholdms",
                                                  "maxpoolsize",
                                                  "maxstalenessseconds",
                                                  "minpoolsize",
                                                  "readconcernlevel",
                                                  "readpreference",
                                                  "readpreferencetags",
                                                  "replicaset",
                                                  "retryreads",
                                                  "retrywrites",
                                                  "safe",
                                                  "serverselectiontimeoutms",
                                                  "serverselectiontryonce",
                                                  "sockettimeoutms",
                                                  "ssl",
                                                  "tls",
                                                  "tlscafile",
                                                  "tlscertificatekeyfile",
                                                  "tlsallowinvalidcertificates",
                                                  "tlsinsecure",
                                                  "w",
                                                  "waitqueuetimeoutms",
                                                  "wtimeoutms"};

// Returns the part of a URI between scheme and '@' without its password.
std::string ShownUser(std::string_view user) {
  const size_t end = std::min(user.find_first_of(":/?"), user.size());
  if (end == user.size()) return std::string(user);
  return user[end] == ':' ? std::string(user.substr(0, end)) + ":***" : "***";
}

// Accepts host, host:port and [v6]:port, several with commas between. A password whose '@' is
// missing is none of these.
bool AreHosts(std::string_view text) {
  const auto is_host = [](std::string_view host) {
    if (host.starts_with('[')) host.remove_prefix(std::min(host.find(']'), host.size() - 1) + 1);
    const size_t colon = host.find(':');
    return colon == std::string_view::npos ||
           std::ranges::all_of(host.substr(colon + 1), [](char c) { return c >= '0' && c <= '9'; });
  };
  for (;;) {
    const size_t comma = text.find(',');
    if (!is_host(text.substr(0, comma))) return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

// Returns "?name=value&..." with *** for the values of options that may be secret.
std::string ShownOptions(std::string_view query) {
  std::string shown;
  while (!query.empty()) {
    const size_t end = std::min(query.find_first_of("&;", 1), query.size());
    const std::string_view option = query.substr(0, end);
    query.remove_prefix(end);
    const size_t equals = option.find('=');
    const std::string name = AsciiLower(option.substr(1, std::min(equals, option.size()) - 1));
    if (std::ranges::count(kShown, name) > 0) {
      shown += option;
    } else if (equals == std::string_view::npos) {
      shown += option.substr(0, 1);
      shown += option.size() > 1 ? "***" : "";
    } else {
      shown += option.substr(0, equals + 1);
      shown += "***";
    }
  }
  return shown;
}
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

Result<std::unique_ptr<Eraser>> OpenEraser(const std::string& uri) {
  if (uri.starts_with(kSqlite)) return OpenSqliteEraser(uri.substr(kSqlite.size()));
  return OpenMongoEraser(uri);
}

std::string DatabaseOf(const std::string& uri) {
  return uri.starts_with("mongodb") ? DatabaseOfUri(uri) : std::string();
}

std::vector<std::string> LandingWarnings(const std::string& uri) {
  return uri.starts_with("mongodb") ? WarningsAboutUri(uri) : std::vector<std::string>();
}

std::string WithoutPassword(const std::string& uri) {
  constexpr std::string_view kHidden = "***";
  if (uri.starts_with(kSqlite)) return uri;
  const size_t scheme = uri.find("://");
  if (scheme == std::string::npos) return std::string(kHidden);
  std::string_view rest(uri);
  std::string shown(rest.substr(0, scheme + 3));
  rest.remove_prefix(shown.size());
  // A password that was not percent-encoded may hold an '@' itself: hide everything up to the last.
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) {
    shown += ShownUser(rest.substr(0, at)) + "@";
    rest.remove_prefix(at + 1);
  }
  if (!AreHosts(rest.substr(0, rest.find_first_of("/?")))) return shown + std::string(kHidden);
  const size_t query = std::min(rest.find('?'), rest.size());
  return shown + std::string(rest.substr(0, query)) + ShownOptions(rest.substr(query));
}

}  // namespace tidegate::reader
