#include <array>

#include "reader/config/loader.h"
#include "reader/database/landing.h"

namespace tidegate::reader {

namespace {
constexpr std::array kLanding{Alias{"MONGO_URL"}, Alias{"MONGODB_URI"}, Alias{"MONGODB_URL"}};
constexpr std::array kDatabase{Alias{"MONGO_DB"}, Alias{"MONGO_DB_DATABASE"},
                               Alias{"DATABASE_NAME"}, Alias{"MONGODB_DATABASE"},
                               Alias{"POSTGRES_DB"}};
constexpr std::string_view kCredential = "landing.uri";

std::string PercentEncoded(std::string_view text) {
  std::string out;
  for (char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
    if (plain) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}
}  // namespace

std::optional<Found> Loader::LandingFromParts() {
  const auto part = [&](std::string_view variable) {
    const auto found = environment_.Find("", std::array{Alias{variable}});
    return found ? found->value : std::string();
  };
  const std::string host = part("MONGO_DB_HOST");
  if (host.empty()) return std::nullopt;
  const std::string port = part("MONGO_DB_PORT");
  const std::string user = part("MONGO_DB_USERNAME");
  std::string uri = "mongodb://";
  if (!user.empty())
    uri += PercentEncoded(user) + ":" + PercentEncoded(part("MONGO_DB_PASSWORD")) + "@";
  uri += host;
  if (host.find(':') == std::string::npos && !port.empty()) uri += ":" + port;
  return Found{uri, "MONGO_DB_HOST"};
}

std::string Loader::LandingUri(std::string& origin) {
  auto credential = credentials_.Read(kCredential);
  if (!credential.ok()) Problem("credential landing.uri", credential.error().message);
  auto found = environment_.Find("TIDEGATE_LANDING", kLanding);
  if (!found) found = LandingFromParts();
  if (credential.ok() && *credential) {
    origin = "credential landing.uri";
    return **credential;
  }
  if (found) {
    origin = found->origin;
    return found->value;
  }
  origin = "default";
  const std::string folder = StateFolder();
  return "sqlite:" + (folder.empty() ? "." : folder) + "/landing.db";
}

void Loader::WarnOfPostgres() {
  for (const char* variable :
       {"POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_USER", "POSTGRES_PASSWORD"}) {
    if (!environment_.Find("", std::array{Alias{variable}})) continue;
    config_.warnings.push_back(
        fmt::format("{} says nothing: PostgreSQL is no landing, the documents go to {}", variable,
                    WithoutPassword(config_.landing)));
    return;
  }
}

void Loader::LoadLanding() {
  std::string origin;
  config_.landing = LandingUri(origin);
  Show("TIDEGATE_LANDING", WithoutPassword(config_.landing), origin);
  if (const auto landing = OpenLanding(config_.landing); !landing.ok())
    Problem(origin, landing.error().message);
  for (const std::string& warning : LandingWarnings(config_.landing))
    config_.warnings.push_back(fmt::format("{}: {}", origin, warning));

  WarnOfPostgres();
  const std::string in_uri = DatabaseOf(config_.landing);
  auto found = environment_.Find("TIDEGATE_DATABASE", kDatabase);
  if (!found && !in_uri.empty()) found = Found{in_uri, origin};
  const Found database = found.value_or(Found{"tidegate", "default"});
  Show("TIDEGATE_DATABASE", database.value, database.origin);
  config_.decoder.database = database.value;
  if (!IsDatabaseName(database.value)) {
    Problem(database.origin,
            fmt::format("'{}' is not the name of a database: 1 to 38 of A-Z a-z 0-9 _ -",
                        database.value));
  }
  const Found tenancy = Text("TIDEGATE_TENANCY", {}, "shared");
  if (tenancy.value == "database") {
    config_.decoder.tenancy = Tenancy::kDatabase;
  } else if (tenancy.value != "shared") {
    Problem(tenancy.origin, fmt::format("'{}' is neither shared nor database", tenancy.value));
  }
}

}  // namespace tidegate::reader
