// The definition of one external source: its URL, the documents that it is asked about, and the
// member that receives its answer. Pure; any thread once built.
#pragma once

#include <chrono>
#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "reader/database/document.h"

namespace tidegate::reader {

inline constexpr size_t kMaxKeyBytes = 256;

// What a source is asked about. Two tenants may have devices of the same name, so that the value
// alone names none.
struct EnrichKey {
  // Empty: the URL does not depend on the tenant.
  std::string tenant = {};
  std::string value = {};

  auto operator<=>(const EnrichKey&) const = default;
  // Different for different keys, because no tenant's name has a '/'.
  std::string Text() const { return tenant + "/" + value; }
};

// `https://host/{tenant_id}/path/{field}?also={field}`. Scheme and host are fixed; the field
// follows them, once or more often, and so may the tenant.
class UrlTemplate {
 public:
  // `field` is the name between the braces. kInvalid: what is wrong with the text.
  static Result<UrlTemplate> Parse(std::string_view text);

  // Returns the URL with tenant and value in their places. They are percent-encoded except
  // A-Z a-z 0-9 - _ ~ and dots among other characters: they can neither leave their places in the
  // path nor add a parameter. REQUIRES: Parse() made the template.
  std::string Expand(const EnrichKey& key) const;
  // The field that is not the tenant; `tenant_id` if there is no other.
  const std::string& field() const { return field_; }
  // True if the URL contains {tenant_id}.
  bool names_tenant() const { return names_tenant_; }
  bool https() const { return text_.starts_with("https://"); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::string field_;
  bool names_tenant_ = false;
};

struct EnrichSource {
  // Lower-case letters, digits and '_'.
  std::string name;
  UrlTemplate url;
  // The document's member that is the key: the template's field.
  std::string key;
  // The member that receives the answer.
  std::string into;
  // Only documents of this stream are enriched; empty: those of all streams.
  std::string stream;
  // Only documents of this tenant are enriched. "*": those of all tenants, which share the answers.
  // Empty: the URL names the tenant, or there is only one.
  std::string tenant = {};
  // Sent with each request, "Name: value". They hold credentials and are never shown.
  std::vector<std::string> headers = {};
  // For how long an answer is valid. A longer time asks the source less often.
  std::chrono::milliseconds ttl{std::chrono::hours(1)};
  // For one request, connecting included.
  std::chrono::milliseconds timeout{5'000};
  // Loopback, private and link-local addresses may be asked.
  bool allow_private = false;
  // The absolute path of a file of PEM certificates, trusted instead of the system's authorities.
  std::string ca_file = {};

  // The member of `tidegate` with the time since which a document waits: `pending_<name>`.
  std::string mark() const { return "pending_" + name; }
};

// Reads `<url template> [key=<field>] into=<field> [ttl=<d>] [timeout=<d>] [stream=<name>]
// [tenant=<name or *>] [allow_private=yes|no] [ca=<file>]`. Opens no file. kInvalid: what is wrong
// with the text, of which only the names of options are quoted, because any other part may be a
// secret.
Result<EnrichSource> ParseEnrichSource(std::string_view name, std::string_view text);
// Returns whether that is the name of an option.
bool IsEnrichOption(std::string_view name);

// Returns the key of a document of that tenant whose key member has that value; nullopt: the source
// is not asked about it.
std::optional<EnrichKey> KeyOf(const EnrichSource& source, std::string_view tenant,
                               std::string_view value);
// Returns the document's key; nullopt if it has none, or has the member `into` already.
std::optional<EnrichKey> KeyOf(const EnrichSource& source, const Document& document);

}  // namespace tidegate::reader
