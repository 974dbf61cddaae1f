#include "tests/support/mongo_stub/wire.h"

#include <cstring>
#include <optional>

#include "tests/support/mongo_stub/bson_handle.h"

namespace tidegate::mongo_stub {

namespace {
constexpr int32_t kOpReply = 1;
constexpr int32_t kOpQuery = 2004;
constexpr int32_t kOpMsg = 2013;
constexpr uint32_t kChecksum = 1;
constexpr uint32_t kMoreToCome = 2;

Error Invalid(const char* what) {
  return {ErrorCode::kInvalid, std::string("mongo message: ") + what};
}

int32_t FromLittleEndian(const uint8_t* bytes) {
  uint32_t number = 0;
  for (int i = 3; i >= 0; --i) number = number << 8 | bytes[i];
  return static_cast<int32_t>(number);
}

// Takes values off the front; nothing once the bytes are used up.
class Cursor {
 public:
  explicit Cursor(Bytes rest) : rest_(rest) {}

  bool empty() const { return rest_.empty(); }
  std::optional<int32_t> Int32() {
    if (rest_.size() < sizeof(int32_t)) return std::nullopt;
    const int32_t number = FromLittleEndian(rest_.data());
    rest_ = rest_.subspan(sizeof(number));
    return number;
  }
  std::optional<uint8_t> Byte() {
    if (rest_.empty()) return std::nullopt;
    const uint8_t byte = rest_.front();
    rest_ = rest_.subspan(1);
    return byte;
  }
  std::optional<std::string_view> Text() {
    const auto* begin = reinterpret_cast<const char*>(rest_.data());
    const size_t length = strnlen(begin, rest_.size());
    if (length == rest_.size()) return std::nullopt;
    rest_ = rest_.subspan(length + 1);
    return std::string_view(begin, length);
  }
  std::optional<Cursor> Part(size_t size) {
    if (size > rest_.size()) return std::nullopt;
    Cursor part(rest_.first(size));
    rest_ = rest_.subspan(size);
    return part;
  }
  std::optional<Bytes> Document() {
    if (rest_.size() < sizeof(int32_t)) return std::nullopt;
    const int32_t size = FromLittleEndian(rest_.data());
    if (size < 5 || static_cast<size_t>(size) > rest_.size()) return std::nullopt;
    const Bytes document = rest_.first(static_cast<size_t>(size));
    rest_ = rest_.subspan(document.size());
    return document;
  }

 private:
  Bytes rest_;
};

std::string_view TextOf(const bson_iter_t& member) {
  uint32_t length = 0;
  if (!BSON_ITER_HOLDS_UTF8(&member)) return {};
  const char* text = bson_iter_utf8(&member, &length);
  return {text, length};
}

bool TakeArray(const bson_iter_t& member, std::vector<Bytes>& documents) {
  bson_iter_t element;
  if (!bson_iter_recurse(&member, &element)) return false;
  while (bson_iter_next(&element)) {
    if (!BSON_ITER_HOLDS_DOCUMENT(&element)) return false;
    const uint8_t* data = nullptr;
    uint32_t length = 0;
    bson_iter_document(&element, &length, &data);
    documents.emplace_back(data, length);
  }
  return true;
}

bool TakeBody(Request& request) {
  bson_t body;
  bson_iter_t member;
  if (!View(request.body, &body) || !bson_iter_init(&member, &body) || !bson_iter_next(&member))
    return false;
  request.command = bson_iter_key(&member);
  request.collection = TextOf(member);
  while (bson_iter_next(&member)) {
    const std::string_view name = bson_iter_key(&member);
    if (name == "$db") request.database = TextOf(member);
    if (name == "documents" && BSON_ITER_HOLDS_ARRAY(&member) &&
        !TakeArray(member, request.documents))
      return false;
  }
  return true;
}

bool TakeSequence(Cursor& cursor, Request& request) {
  const auto size = cursor.Int32();
  if (!size || *size < 4) return false;
  auto part = cursor.Part(static_cast<size_t>(*size) - 4);
  if (!part || !part->Text()) return false;
  while (!part->empty()) {
    const auto document = part->Document();
    if (!document) return false;
    request.documents.push_back(*document);
  }
  return true;
}

Result<Request> ParseMsg(Cursor cursor, Request request) {
  const auto flags = cursor.Int32();
  if (!flags || (static_cast<uint32_t>(*flags) & kChecksum) != 0) return Invalid("flags");
  request.no_reply = (static_cast<uint32_t>(*flags) & kMoreToCome) != 0;
  while (!cursor.empty()) {
    const auto kind = cursor.Byte();
    if (*kind == 0 && request.body.empty()) {
      const auto body = cursor.Document();
      if (!body) return Invalid("body");
      request.body = *body;
    } else if (*kind != 1 || !TakeSequence(cursor, request)) {
      return Invalid("section");
    }
  }
  if (!TakeBody(request)) return Invalid("body");
  return request;
}

Result<Request> ParseQuery(Cursor cursor, Request request) {
  request.legacy = true;
  const auto flags = cursor.Int32();
  const auto name = cursor.Text();
  const auto skip = cursor.Int32();
  const auto limit = cursor.Int32();
  const auto body = cursor.Document();
  if (!flags || !name || !skip || !limit || !body) return Invalid("query");
  request.body = *body;
  if (!TakeBody(request)) return Invalid("query");
  request.database = name->substr(0, name->find('.'));
  return request;
}

void AppendInt32(std::string& out, int32_t number) {
  for (int shift = 0; shift < 32; shift += 8)
    out.push_back(static_cast<char>(static_cast<uint32_t>(number) >> shift & 0xff));
}
}  // namespace

Result<size_t> MessageBytes(Bytes header) {
  const auto size = Cursor(header).Int32();
  if (!size || *size < static_cast<int32_t>(kHeaderBytes) || *size > kMaxMessageBytes)
    return Invalid("length");
  return static_cast<size_t>(*size);
}

Result<Request> ParseRequest(Bytes message) {
  Cursor cursor(message);
  Request request;
  const auto size = cursor.Int32();
  const auto id = cursor.Int32();
  const auto response_to = cursor.Int32();
  const auto code = cursor.Int32();
  if (!size || !id || !response_to || !code) return Invalid("header");
  request.id = *id;
  if (*code == kOpMsg) return ParseMsg(cursor, std::move(request));
  if (*code == kOpQuery) return ParseQuery(cursor, std::move(request));
  return Invalid("operation code");
}

std::string MakeReply(const Request& request, std::string_view reply) {
  std::string out;
  const size_t envelope = request.legacy ? 20 : 5;
  AppendInt32(out, static_cast<int32_t>(kHeaderBytes + envelope + reply.size()));
  AppendInt32(out, 1);
  AppendInt32(out, request.id);
  AppendInt32(out, request.legacy ? kOpReply : kOpMsg);
  if (request.legacy) {
    for (int32_t number : {8, 0, 0, 0, 1}) AppendInt32(out, number);  // One document, no cursor.
  } else {
    AppendInt32(out, 0);
    out.push_back('\0');
  }
  out += reply;
  return out;
}

}  // namespace tidegate::mongo_stub
