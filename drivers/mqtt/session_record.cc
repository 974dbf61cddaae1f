#include "drivers/mqtt/session_record.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/check.h"
#include "core/json/json.h"

namespace tidegate {
namespace {

constexpr std::string_view kSubscriptions = "subscriptions";
constexpr std::string_view kSession = "session";
constexpr std::string_view kFilter = "filter";
// Room for filters and names of any length that MQTT allows.
constexpr json::Limits kLimits{.max_bytes = size_t{8} << 20};

std::string TextOf(json::Value object, std::string_view name) {
  const auto member = object.Find(name);
  return member && member->is_string() ? std::string(member->as_string()) : std::string();
}

}  // namespace

Status SessionRecord::Load() {
  auto noted = notes_.Read(note_);
  if (!noted.ok()) return Status(noted.error());
  noted_ = noted->value_or("");
  Parse(noted_);
  return {};
}

// A text that is no record of ours is as good as no text: it is replaced by the next Save().
void SessionRecord::Parse(std::string_view text) {
  const auto document = json::Document::Parse(text, kLimits);
  if (!document.ok()) return;
  const auto list = document->root().Find(kSubscriptions);
  if (!list || !list->is_array()) return;
  for (auto element = list->First(); element; element = element->Next()) {
    Subscription subscription{TextOf(*element, kSession), TextOf(*element, kFilter)};
    if (!subscription.filter.empty()) Add(std::move(subscription));
  }
}

std::string SessionRecord::Text() const {
  std::string text;
  json::Writer writer(text);
  writer.BeginObject();
  writer.Key(kSubscriptions);
  writer.BeginArray();
  for (const Subscription& subscription : known_) {
    writer.BeginObject();
    writer.Key(kSession);
    writer.String(subscription.session);
    writer.Key(kFilter);
    writer.String(subscription.filter);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return text;
}

void SessionRecord::Add(Subscription subscription) {
  std::erase(known_, subscription);
  if (known_.size() >= kMostSubscriptions) known_.erase(known_.begin());
  known_.push_back(std::move(subscription));
  CHECK(known_.size() <= kMostSubscriptions, "the subscriptions that are known are bounded");
}

bool SessionRecord::Begin(bool resumed) {
  bool lost = false;
  if (!resumed) {
    lost = std::erase_if(known_, [this](const Subscription& subscription) {
             return subscription.session == session_;
           }) > 0;
  }
  Add({session_, filter_});
  return lost;
}

std::vector<std::string> SessionRecord::OldFilters() const {
  std::vector<std::string> filters;
  for (const Subscription& subscription : known_) {
    if (subscription.filter == filter_) continue;
    if (std::ranges::find(filters, subscription.filter) != filters.end()) continue;
    filters.push_back(subscription.filter);
  }
  return filters;
}

void SessionRecord::Removed(const std::string& filter) {
  CHECK(filter != filter_, "the configured subscription stays");
  std::erase(known_, Subscription{session_, filter});
}

Status SessionRecord::Save() {
  std::string text = Text();
  if (text == noted_) return {};
  if (Status status = notes_.Write(note_, text); !status.ok()) return status;
  noted_ = std::move(text);
  return {};
}

}  // namespace tidegate
