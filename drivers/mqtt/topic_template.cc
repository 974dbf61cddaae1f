#include "drivers/mqtt/topic_template.h"

#include <algorithm>

#include "core/utf8.h"

namespace tidegate {
namespace {

constexpr size_t kMaxTopicBytes = 65535;  // MQTT 5, 1.5.4: two bytes of length.
constexpr std::string_view kShare = "$share";

Error Invalid(std::string_view what) {
  return Error{ErrorCode::kInvalid, "topic: " + std::string(what)};
}

// Cuts the text up to the next '/', and the '/', off `rest`. `more`: there was a '/'.
std::string_view TakeLevel(std::string_view& rest, bool& more) {
  const size_t slash = rest.find('/');
  more = slash != std::string_view::npos;
  const std::string_view level = rest.substr(0, slash);
  rest.remove_prefix(more ? slash + 1 : rest.size());
  return level;
}

}  // namespace

Result<TopicTemplate> TopicTemplate::Parse(std::string_view text) {
  if (text.empty()) return Invalid("it is missing, as in mqtt://host/fleet/{tenant}/{asset}");
  if (text.size() > kMaxTopicBytes) return Invalid("it is longer than 65535 bytes");
  if (!IsUtf8(text)) return Invalid("it is not UTF-8");
  TopicTemplate parsed;
  if (Status status = parsed.TakeGroup(text); !status) return status.error();
  for (bool more = true; more;) {
    const std::string_view level = TakeLevel(text, more);
    if (Status status = parsed.Add(level, !more); !status) return status.error();
    if (more) parsed.filter_.push_back('/');
  }
  return parsed;
}

// Cuts $share/<group>/ off (MQTT 5, 4.8.2): messages come with their own topics, without it.
Status TopicTemplate::TakeGroup(std::string_view& text) {
  std::string_view rest = text;
  bool more = false;
  if (TakeLevel(rest, more) != kShare) return {};
  const std::string_view group = TakeLevel(rest, more);
  if (group.empty() || !more || rest.empty() ||
      group.find_first_of("+#{}") != std::string_view::npos) {
    return Invalid("$share needs a group without wildcards and a topic, as in $share/gateways/a/b");
  }
  filter_ = text.substr(0, text.size() - rest.size());
  text = rest;
  return {};
}

Status TopicTemplate::Add(std::string_view level, bool last) {
  Kind kind = Kind::kLiteral;
  if (level == "{tenant}") kind = Kind::kTenant;
  if (level == "{asset}") kind = Kind::kAsset;
  if (level == "+") kind = Kind::kAny;
  if (level == "#") kind = Kind::kRest;
  if (kind == Kind::kRest && !last) return Invalid("'#' has to be its last level");
  if (kind == Kind::kLiteral && level.find_first_of("+#{}") != std::string_view::npos) {
    return Invalid("'" + std::string(level) +
                   "' mixes a wildcard or a place with other text; each takes a whole level, and "
                   "the places are {tenant} and {asset}");
  }
  const bool is_place = kind == Kind::kTenant || kind == Kind::kAsset;
  if (is_place && std::any_of(levels_.begin(), levels_.end(),
                              [kind](const Level& other) { return other.kind == kind; })) {
    return Invalid("it names " + std::string(level) + " twice");
  }
  filter_ += is_place ? "+" : level;
  levels_.push_back({kind, kind == Kind::kLiteral ? std::string(level) : std::string()});
  return {};
}

std::optional<TopicTags> TopicTemplate::Match(std::string_view topic) const {
  TopicTags tags;
  bool more = true;
  // A wildcard at the beginning matches no topic of the broker's own (MQTT 5, 4.7.2).
  if (topic.starts_with('$') && levels_.front().kind != Kind::kLiteral) return std::nullopt;
  for (const Level& level : levels_) {
    // "a/#" matches "a" as well (MQTT 5, 4.7.1.2).
    if (level.kind == Kind::kRest) return tags;
    if (!more) return std::nullopt;
    const std::string_view text = TakeLevel(topic, more);
    if (level.kind == Kind::kLiteral && text != level.text) return std::nullopt;
    const bool is_place = level.kind == Kind::kTenant || level.kind == Kind::kAsset;
    if (is_place && text.empty()) return std::nullopt;
    if (level.kind == Kind::kTenant) tags.tenant = text;
    if (level.kind == Kind::kAsset) tags.asset = text;
  }
  if (more) return std::nullopt;
  return tags;
}

}  // namespace tidegate
