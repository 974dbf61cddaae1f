// The topic of an input with its places for tenant and asset: fleet/{tenant}/{asset}/heartbeat.
// Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tidegate {

// What a topic says about its message; both views point into the topic, empty if not named there.
struct TopicTags {
  std::string_view tenant;
  std::string_view asset;
};

class TopicTemplate {
 public:
  // Levels are literal, '+', a last '#', '{tenant}' or '{asset}' (each at most once, each a whole
  // level). kInvalid: what is wrong.
  static Result<TopicTemplate> Parse(std::string_view text);

  // The filter to subscribe to: '+' in each place.
  const std::string& filter() const { return filter_; }

  // nullopt: the topic does not match, as happens with subscriptions that an older session left
  // behind.
  std::optional<TopicTags> Match(std::string_view topic) const;

 private:
  enum class Kind { kLiteral, kAny, kRest, kTenant, kAsset };
  struct Level {
    Kind kind;
    std::string text;  // Of a literal.
  };

  TopicTemplate() = default;
  Status Add(std::string_view level, bool last);

  std::vector<Level> levels_;
  std::string filter_;
};

}  // namespace tidegate
