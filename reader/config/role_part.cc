#include <algorithm>
#include <array>

#include "reader/config/loader.h"

namespace tidegate::reader {

namespace {
struct RoleName {
  std::string_view name;
  bool Roles::*role;
};
constexpr std::array kRoles{RoleName{"land", &Roles::land}, RoleName{"project", &Roles::project},
                            RoleName{"api", &Roles::api}};
constexpr std::string_view kConsumer = "land,project";
}  // namespace

// Other readers choose a process's work by two variables, of which CONSUMER_TYPE counts only if
// MODE does not choose the server. Many programs have a variable MODE, so another value of it is a
// warning and no problem.
Found Loader::RolesFromAliases() {
  const auto mode = environment_.Find("", std::array{Alias{"MODE"}});
  const auto type = environment_.Find("", std::array{Alias{"CONSUMER_TYPE"}});
  if (mode && mode->value == "server") return {"api", mode->origin};
  if (mode && mode->value == "consumer") return {std::string(kConsumer), mode->origin};
  if (mode) {
    config_.warnings.push_back(fmt::format(
        "MODE is '{}', which says nothing here: server or consumer would", mode->value));
  }
  if (type) return {std::string(kConsumer), type->origin};
  return {"land,project,api", "default"};
}

void Loader::LoadRoles() {
  const Found aliases = RolesFromAliases();
  const Found roles = environment_.Find("TIDEGATE_ROLES").value_or(aliases);
  Show("TIDEGATE_ROLES", roles.value, roles.origin);
  config_.roles = {.land = false, .project = false, .api = false};
  for (const std::string& name : SplitList(roles.value)) {
    const auto known = std::ranges::find(kRoles, name, &RoleName::name);
    if (known == kRoles.end()) {
      Problem(roles.origin, fmt::format("'{}' is none of land, project, api", name));
    } else {
      config_.roles.*known->role = true;
    }
  }
  if (config_.roles == Roles{.land = false, .project = false, .api = false})
    Problem(roles.origin, "names nothing to do: land, project, api");
  config_.project_workers = Number("TIDEGATE_PROJECT_WORKERS", {}, 1, 1, 64);
}

}  // namespace tidegate::reader
