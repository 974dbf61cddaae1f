// The topic of an input with its places for tenant and asset: fleet/{tenant}/{asset}/heartbeat.
// Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tidegate {

// What a topic says about its message. Both views point into the topic; each is empty only if the
// template has no place for it.
struct TopicTags {
  std::string_view tenant;
  std::string_view asset;
};

class TopicTemplate {
 public:
  // A level is literal text, '+', '#' (the last only), '{tenant}' or '{asset}' (each at most once
  // and each a whole level). $share/<group>/ may precede the levels: clients with one group share
  // the messages of the filter that follows it. kInvalid: what is wrong.
  static Result<TopicTemplate> Parse(std::string_view text);

  // The filter to subscribe to, with '+' for each place; with the prefix of a shared subscription.
  const std::string& filter() const { return filter_; }

  // Returns nullopt if the topic does not match, or has an empty level in a place. The broker sends
  // such topics if the session has subscriptions of an older configuration, or messages that were
  // queued for them.
  std::optional<TopicTags> Match(std::string_view topic) const;

 private:
  enum class Kind { kLiteral, kAny, kRest, kTenant, kAsset };
  struct Level {
    Kind kind;
    std::string text;  // Empty unless literal.
  };

  TopicTemplate() = default;
  Status TakeGroup(std::string_view& text);
  Status Add(std::string_view level, bool last);

  std::vector<Level> levels_;
  std::string filter_;
};

}  // namespace tidegate
