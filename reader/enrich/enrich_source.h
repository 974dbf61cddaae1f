// The definition of one external source: its URL, the documents that it is asked about, and the
// member that receives its answer. Pure; any thread once built.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "reader/database/document.h"

namespace tidegate::reader {

inline constexpr size_t kMaxKeyBytes = 256;

// `https://host/path/{field}?also={field}`. Scheme and host are fixed; the field follows them, once
// or more often.
class UrlTemplate {
 public:
  // `field` is the name between the braces. kInvalid: what is wrong with the text.
  static Result<UrlTemplate> Parse(std::string_view text);

  // Returns the URL with the value in the field's place. The value is percent-encoded except
  // A-Z a-z 0-9 - _ ~ and dots among other characters: it can neither leave its place in the path
  // nor add a parameter. REQUIRES: Parse() made the template.
  std::string Expand(std::string_view value) const;
  const std::string& field() const { return field_; }
  bool https() const { return text_.starts_with("https://"); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::string field_;
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
// [allow_private=yes|no] [ca=<file>]`. Opens no file. kInvalid: what is wrong with the text.
Result<EnrichSource> ParseEnrichSource(std::string_view name, std::string_view text);

// Returns the document's key; nullopt if it has none, or has the member `into` already.
std::optional<std::string> KeyOf(const EnrichSource& source, const Document& document);

}  // namespace tidegate::reader
