#include "core/kafka/kafka_property.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "core/secrets.h"

namespace tidegate::kafka {

namespace {
struct FileCloser {
  void operator()(FILE* file) const { static_cast<void>(std::fclose(file)); }
};
struct Freer {
  void operator()(char* memory) const { std::free(memory); }
};

// The library's table of properties, in Markdown.
std::string PropertyTable() {
  char* memory = nullptr;
  size_t size = 0;
  std::unique_ptr<FILE, FileCloser> file(open_memstream(&memory, &size));
  if (!file) return {};
  rd_kafka_conf_properties_show(file.get());
  file.reset();
  const std::unique_ptr<char, Freer> owner(memory);
  return {memory, size};
}

// Returns the property that a line of the table describes; empty for other lines, and for callbacks
// and pointers, which have no text form.
std::string NameIn(std::string_view line) {
  const size_t end = line.find_first_of(" |");
  if (end == 0 || end == std::string_view::npos) return {};
  if (line.find("|") == std::string_view::npos || line.front() == '#') return {};
  if (std::isupper(static_cast<unsigned char>(line.front())) != 0) return {};
  if (line.find("see dedicated API") != std::string_view::npos) return {};
  if (line.find("*Type: pointer*") != std::string_view::npos) return {};
  return std::string(line.substr(0, end));
}

std::vector<std::string> ReadProperties() {
  const std::string table = PropertyTable();
  std::vector<std::string> names;
  for (size_t at = 0; at < table.size();) {
    const size_t end = std::min(table.find('\n', at), table.size());
    std::string name = NameIn(std::string_view(table).substr(at, end - at));
    if (!name.empty() && name.front() != '-') names.push_back(std::move(name));
    at = end + 1;
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}
}  // namespace

bool IsSecretProperty(std::string_view name) {
  constexpr std::array<std::string_view, 8> kParts{
      "password",           "secret", "key.pem",    "ssl_key",
      "oauthbearer.config", "token",  "passphrase", "private"};
  if (name == "sasl.oauthbearer.token.endpoint.url") return false;
  return std::ranges::any_of(
      kParts, [name](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

const std::vector<std::string>& KnownProperties() {
  static const std::vector<std::string> names = ReadProperties();
  return names;
}

bool IsKnownProperty(std::string_view name) {
  return std::ranges::binary_search(KnownProperties(), name);
}

std::string ShownProperty(std::string_view name, std::string_view value) {
  return IsSecretProperty(name) || !IsKnownProperty(name) ? "(hidden)" : HideSecrets(value);
}

std::string EnvironmentToProperty(std::string_view suffix) {
  std::string plain;
  for (char c : suffix) {
    plain.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  // Some names hold an underscore; no two differ in that alone.
  for (const std::string& known : KnownProperties()) {
    if (known.find('_') != std::string::npos && known == plain) return known;
  }
  std::ranges::replace(plain, '_', '.');
  return plain;
}

std::string PropertyToEnvironment(std::string_view property) {
  std::string suffix;
  for (char c : property) {
    suffix.push_back(c == '.' ? '_'
                              : static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  }
  return suffix;
}

}  // namespace tidegate::kafka
