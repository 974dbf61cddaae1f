// One external source that documents are enriched from: what it is asked, for which documents, and
// where its answer goes. Pure; any thread once built.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "reader/database/document.h"

namespace tidegate::reader {

inline constexpr size_t kMaxKeyBytes = 256;

// `https://host/path/{field}?also={field}`: scheme and host are fixed, the field stands behind
// them, once or more.
class UrlTemplate {
 public:
  // kInvalid: what is wrong with it. `field` is what stands between the braces.
  static Result<UrlTemplate> Parse(std::string_view text);

  // The value is percent-encoded but for A-Z a-z 0-9 - _ ~ and dots between others: it can neither
  // leave its place in the path nor add a parameter.
  std::string Expand(std::string_view value) const;
  const std::string& field() const { return field_; }
  bool https() const { return text_.starts_with("https://"); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::string field_;
};

struct EnrichSource {
  std::string name;  // Lower-case letters, digits and '_'.
  UrlTemplate url;
  std::string key;     // The document's member that is the key: the template's field.
  std::string into;    // The member that the answer becomes.
  std::string stream;  // Empty: all streams.
  std::chrono::milliseconds ttl{std::chrono::hours(1)};  // For how long an answer is good.
  std::chrono::milliseconds timeout{5'000};              // Of one request, connecting included.
  // Loopback, private and link-local addresses may be asked.
  bool allow_private = false;
  // Trusted instead of the system's authorities: an absolute path of a file of PEM certificates.
  std::string ca_file = {};

  // The document's member that says that it waits, and since when: `tidegate.pending_<name>`.
  std::string mark() const { return "pending_" + name; }
};

// Reads `<url template> [key=<field>] into=<field> [ttl=<d>] [timeout=<d>] [stream=<name>]
// [allow_private=yes|no] [ca=<file>]`. Opens no file. kInvalid: what is wrong.
Result<EnrichSource> ParseEnrichSource(std::string_view name, std::string_view text);

// The key of this document; nullopt if it has none, or carries `into` already.
std::optional<std::string> KeyOf(const EnrichSource& source, const Document& document);

}  // namespace tidegate::reader
