// Loads the configuration, one step for each subject; each step has a file of its own. The order in
// Load() matters: later steps use what earlier ones have found. Private to this folder. One thread.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "reader/config/config.h"

namespace tidegate::reader {

class Loader {
 public:
  Loader(Environment environment, const Credentials& credentials)
      : environment_(std::move(environment)), credentials_(credentials) {}

  // Runs all steps. Afterwards the loader is empty.
  Config Load();

 private:
  // kafka_part.cc
  void LoadKafka();
  void SetKafka(std::string_view property, std::span<const Alias> aliases);
  void ShowKafka();
  // Returns the state folder that systemd gave the service; empty if there is none.
  std::string StateFolder();
  // stream_part.cc
  void LoadStreams();
  // Reports a stream that follows a topic which the reader itself writes.
  void KeepStreamsOff(const std::string& topic, std::string_view what);
  std::vector<std::string> SelectedStreams(const std::vector<std::string>& defined,
                                           const Found& only);
  // stream_alias_part.cc
  Found StreamOfOneTopic();
  Stream StreamAfterAliases(Stream stream, bool only);
  // rule_part.cc
  void LoadRules();
  // landing_part.cc
  void LoadLanding();
  std::string LandingUri(std::string& origin);
  std::optional<Found> LandingFromParts();
  void WarnOfPostgres();
  // tenant_list_part.cc
  void LoadTenants();
  void LoadTenantFile();
  void CheckTenantDatabases(const std::string& origin);
  // project_part.cc
  void LoadProjections();
  // enrich_part.cc
  void LoadEnrichment();
  void CheckEnrichSource(const EnrichSource& source, const std::string& origin);
  void LoadEnrichHeaders();
  // tenant_part.cc
  void LoadRetention();
  Retention::Period RetentionPeriod(const Found& found);
  void LoadTenantLandings();
  void SetTenantLanding(const std::string& tenant, const Found& found);
  std::vector<std::string> TenantsSpelt(std::string_view suffix) const;
  void CheckTenantSpelling(const std::string& origin, std::string_view suffix);
  // role_part.cc
  Found RolesFromAliases();
  void LoadRoles();
  // api_part.cc
  void LoadApi();
  void LoadTokens();
  void LoadTokenFile(const Found& file);
  void CheckReach();
  // loader.cc
  void LoadLimits();
  void LoadParking();
  void LoadProcess();
  void FindUnknownNames();
  void FindUnreadCredentials();

  // These look a setting up, add it to Config::settings, and return its value. Number() and
  // Duration() report a value that is malformed or out of range as a problem and return the
  // fallback. REQUIRES: least <= fallback <= most.
  Found Text(std::string_view name, std::span<const Alias> aliases, std::string_view fallback);
  uint64_t Number(std::string_view name, std::span<const Alias> aliases, uint64_t fallback,
                  uint64_t least, uint64_t most);
  std::chrono::milliseconds Duration(std::string_view name, std::span<const Alias> aliases,
                                     std::chrono::milliseconds fallback,
                                     std::chrono::milliseconds least,
                                     std::chrono::milliseconds most);
  void Show(std::string_view name, std::string value, std::string origin) {
    config_.settings.push_back({std::string(name), std::move(value), std::move(origin)});
  }
  void Problem(std::string_view origin, std::string_view text) {
    config_.problems.push_back(fmt::format("{}: {}", origin, text));
  }

  Environment environment_;
  const Credentials& credentials_;
  Config config_;
};

// Returns the words between the commas, without blanks around them; empty ones are left out.
std::vector<std::string> SplitList(std::string_view text);

}  // namespace tidegate::reader
