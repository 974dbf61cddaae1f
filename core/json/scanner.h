// The one pass over a text: everything that RFC 8259 forbids, or that two readers could understand
// differently, is refused; what is accepted becomes a list of nodes. No recursion deeper than the
// limit. Private to this folder. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/json/json.h"
#include "core/result.h"

namespace tidegate::json {

// Keeps the recursion of whoever walks a tree far from the end of any stack.
inline constexpr size_t kDeepest = 500;

// One value. Nodes stand in the order of the text: a container's first child follows it.
struct Node {
  std::string_view key;   // Unescaped; only of an object's members.
  std::string_view text;  // Of a string its contents, unescaped; of all others the whole value, as
                          // written.
  uint32_t next = 0;      // How many nodes further the next sibling is; 0: there is none.
  Type type = Type::kNull;
  bool has_children = false;
  bool canonical = true;      // Copying its source text gives its canonical form.
  bool canonical_key = true;  // The same of its key.

  // With the quotes. REQUIRES: canonical.
  std::string_view source() const {
    return type == Type::kString ? std::string_view(text.data() - 1, text.size() + 2) : text;
  }
};

// Never empty. The nodes' texts point into `text`, in which strings and keys with escapes are
// unescaped in place. The size is not limited here. kRejected: what is wrong and at which byte
// offset.
Result<std::vector<Node>> Scan(std::span<char> text, const Limits& limits);

}  // namespace tidegate::json
