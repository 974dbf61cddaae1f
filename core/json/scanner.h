// The single pass over a text that makes the list of nodes. It refuses everything that RFC 8259
// forbids or that two readers could understand differently. Private to this folder. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/check.h"
#include "core/json/json.h"
#include "core/result.h"

namespace tidegate::json {

// The deepest nesting that is accepted, whatever the limits say. It keeps recursion over a tree far
// from the end of any stack.
inline constexpr size_t kDeepest = 500;

// One value. The list has the order of the text, so a container's first child is the next node.
struct Node {
  // Without escapes. Only members of objects have one; of all others data() is nullptr.
  std::string_view key;
  // The contents without escapes if this is a string, else the whole value as it was written.
  std::string_view text;
  // Distance in nodes to the next sibling; 0 if there is none.
  uint32_t next = 0;
  Type type = Type::kNull;
  bool has_children = false;
  // True if the source text is the canonical form, so that it can be copied.
  bool canonical = true;
  // The same for the key.
  bool canonical_key = true;

  // Returns the source text, a string with its quotes. REQUIRES: canonical.
  std::string_view source() const {
    CHECK(canonical, "the source text is the canonical form");
    return type == Type::kString ? std::string_view(text.data() - 1, text.size() + 2) : text;
  }
};

// Returns at least one node. The nodes' texts point into `text`; strings and keys with escapes are
// unescaped there, in place. Limits::max_bytes is not enforced here. kRejected: the message says
// what is wrong and at which byte offset.
Result<std::vector<Node>> Scan(std::span<char> text, const Limits& limits);

}  // namespace tidegate::json
