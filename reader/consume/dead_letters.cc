#include "reader/consume/dead_letters.h"

#include <utility>

#include "core/utf8.h"

namespace tidegate::reader {

Refusal::Refusal(RefusalKind why, std::string why_text) : kind(why), text(std::move(why_text)) {
  if (text.size() > kMaxRefusalText) text = std::string(Utf8Prefix(text, kMaxRefusalText));
}

std::string_view RefusalKindName(RefusalKind kind) {
  switch (kind) {
    case RefusalKind::kHeaders:
      return "headers";
    case RefusalKind::kSchema:
      return "schema";
    case RefusalKind::kJson:
      return "json";
    case RefusalKind::kProtobuf:
      return "protobuf";
    case RefusalKind::kMember:
      return "member";
    case RefusalKind::kTenant:
      return "tenant";
    case RefusalKind::kDatabase:
      return "database";
    case RefusalKind::kRetries:
      return "retries";
  }
  return "";
}

std::vector<std::string_view> RefusalKindNames() {
  std::vector<std::string_view> names;
  for (int kind = 0;; ++kind) {
    const std::string_view name = RefusalKindName(static_cast<RefusalKind>(kind));
    if (name.empty()) return names;
    names.push_back(name);
  }
}

std::string Describe(const Refusal& refusal) {
  const std::string prefix = std::string(RefusalKindName(refusal.kind)) + ": ";
  return refusal.text.starts_with(prefix) ? refusal.text : prefix + refusal.text;
}

}  // namespace tidegate::reader
