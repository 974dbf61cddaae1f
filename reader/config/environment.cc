#include "reader/config/environment.h"

#include <unistd.h>

#include <algorithm>

namespace tidegate::reader {

namespace {
constexpr std::string_view kOurs = "TIDEGATE_";
}

Environment Environment::OfProcess() {
  Variables variables;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals != std::string_view::npos)
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return Environment(std::move(variables));
}

std::optional<Found> Environment::Find(std::string_view name, std::span<const Alias> aliases) {
  asked_.emplace(name, true);
  if (const auto own = variables_.find(name); own != variables_.end() && !own->second.empty()) {
    return Found{own->second, own->first};
  }
  for (const Alias& alias : aliases) {
    const auto found = variables_.find(alias.name);
    if (found == variables_.end() || found->second.empty()) continue;
    return Found{std::string(alias.prefix) + found->second + std::string(alias.suffix),
                 found->first};
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, Found>> Environment::WithPrefix(std::string_view prefix) {
  std::vector<std::pair<std::string, Found>> matches;
  for (auto entry = variables_.lower_bound(prefix);
       entry != variables_.end() && entry->first.starts_with(prefix); ++entry) {
    asked_.emplace(entry->first, true);
    if (!entry->second.empty())
      matches.push_back({entry->first.substr(prefix.size()), {entry->second, entry->first}});
  }
  return matches;
}

std::vector<std::string> Environment::Unknown() const {
  std::vector<std::string> unknown;
  for (auto entry = variables_.lower_bound(kOurs);
       entry != variables_.end() && entry->first.starts_with(kOurs); ++entry) {
    if (!asked_.contains(entry->first)) unknown.push_back(entry->first);
  }
  return unknown;
}

std::vector<std::string> Environment::Known() const {
  std::vector<std::string> known;
  for (const auto& [name, ignored] : asked_) {
    if (name.starts_with(kOurs)) known.push_back(name);
  }
  return known;
}

}  // namespace tidegate::reader
