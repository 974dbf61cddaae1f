#include "agent/pipeline/buffered_bytes.h"

#include <string>

#include "core/check.h"

namespace tidegate {

namespace {

// What the allocator adds to a block.
constexpr size_t kBlockBytes = 16;

// Memory of a text outside of its object; a short text has none.
size_t TextBytes(const std::string& text) {
  static const size_t kInside = std::string().capacity();
  return text.capacity() > kInside ? text.capacity() + 1 + kBlockBytes : 0;
}

size_t BytesOf(const DeadLetter& letter) {
  return sizeof(DeadLetter) + TextBytes(letter.input) + TextBytes(letter.origin) +
         TextBytes(letter.reason) + TextBytes(letter.payload);
}

}  // namespace

void BufferedBytes::Add(const Record& record) {
  total_ += sizeof(Record) + sizeof(Arrival) + TextBytes(record.tenant) + TextBytes(record.asset) +
            TextBytes(record.value);
}

void BufferedBytes::Add(const DeadLetter& letter) {
  total_ += BytesOf(letter);
}

void BufferedBytes::Remove(const DeadLetter& letter) {
  CHECK(total_ >= BytesOf(letter), "only what was added is removed");
  total_ -= BytesOf(letter);
}

}  // namespace tidegate
