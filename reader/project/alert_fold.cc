#include <fmt/format.h>

#include "core/utf8.h"
#include "reader/decode/message_fields.h"
#include "reader/project/fold.h"

namespace tidegate::reader {

namespace {
constexpr size_t kMaxAlertText = 512;

// A copy of what a change needs, because an alert by the server's rules no longer exists when the
// change is applied.
struct AlertNews {
  std::string tenant = {};
  std::string asset = {};
  WallTime time{};
  std::string rule = {};
  Value field = {};  // The member that the rule compares; null: the alert does not name it.
  bool raised = true;
  WallTime raised_at{};
  std::string severity = {};
  std::string message = {};
  Value value = {};
};

// Returns as many whole characters as kMaxAlertText bytes hold.
std::string_view Cut(std::string_view text) {
  size_t end = 0;
  while (end < text.size()) {
    const size_t bytes = Utf8SequenceBytes(text.substr(end));
    if (bytes == 0 || end + bytes > kMaxAlertText) break;
    end += bytes;
  }
  return text.substr(0, end);
}

std::string TextOf(json::Value root, std::string_view name) {
  const auto member = root.Find(name);
  return std::string(member && member->is_string() ? Cut(member->as_string()) : "");
}

std::optional<WallTime> MemberTime(json::Value root, std::string_view name) {
  const auto member = root.Find(name);
  return member ? TimeOf(*member) : std::nullopt;
}

// Producers other than gateways name the rule in alert_type and its field in sensor_type, and end
// an alert by the status "resolved".
std::optional<AlertNews> NewsOf(const Document& alert) {
  const json::Value root = alert.value.root();
  AlertNews news;
  news.tenant = alert.tenant;
  news.asset = alert.asset;
  news.time = BoundedTime(alert);
  news.rule = TextOf(root, "rule");
  if (news.rule.empty()) news.rule = TextOf(root, "alert_type");
  if (news.rule.empty()) return std::nullopt;
  for (const char* name : {"sensor_type", "field"}) {
    if (auto field = TextOf(root, name); !field.empty()) news.field.is = std::move(field);
  }
  const std::string status = TextOf(root, "status");
  news.raised = status != "cleared" && status != "resolved";
  news.raised_at = MemberTime(root, "raised_at").value_or(news.time);
  news.severity = TextOf(root, "severity");
  news.message = TextOf(root, "message");
  const auto value = root.Find("value");
  if (value && (value->is_number() || value->type() == json::Type::kBool))
    news.value = ToValue(*value);
  if (value && value->is_string()) news.value.is = TextOf(root, "value");
  return news;
}

// Raising and clearing are one document each, and the state is the same whichever is folded first.
void FoldNews(const AlertNews& news, std::string_view source, Projection& state) {
  Object& members = state.members;
  // One that has expired has folded documents and begins anew without its names.
  if (!members.Find("asset_id")) {
    NameAsset(news.tenant, news.asset, members);
    members["rule"].is = news.rule;
    members["raised_at"].is = news.raised_at;
    if (!members.Find("cleared_at")) members["cleared_at"].is = nullptr;
    members["source"].is = std::string(source);
  }
  const bool told = state.state.Bool("raised");
  if (!told && (news.raised || !members.Find("severity"))) {
    members["field"] = news.field;
    members["severity"].is = news.severity;
    members["value"] = news.value;
    members["message"].is = news.message;
  }
  if (news.raised) state.state["raised"].is = true;
  if (!news.raised && !members.Time("cleared_at")) members["cleared_at"].is = news.time;
  members["status"].is = std::string(members.Time("cleared_at") ? "cleared" : "raised");
}
}  // namespace

void FoldAlert(const Document& alert, std::string_view source, Effects& effects) {
  auto news = NewsOf(alert);
  if (!news) return;
  DocumentKey key{{alert.ns.database, "alert_states"},
                  fmt::format("{}/{}/{}", AssetId(alert), IdPart(news->rule),
                              news->raised_at.time_since_epoch().count())};
  effects.changes.push_back(
      {std::move(key), [news = *std::move(news), source = std::string(source)](Projection& state) {
         FoldNews(news, source, state);
       }});
}

}  // namespace tidegate::reader
