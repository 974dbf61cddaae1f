// Kafka messages, as hostile as they come, through the reader's decoder: JSON of every kind of
// stream, and protobuf by the built-in schema and by one with every kind of field. The first byte
// chooses the stream.
#include <string>

#include "core/record.h"
#include "reader/decode/decoder.h"
#include "tests/fuzz/fuzz.h"

namespace {
using namespace tidegate;
using namespace tidegate::reader;

const Decoder& TheDecoder() {
  static const Decoder decoder = [] {
    std::vector<Stream> streams(BuiltInStreams().begin(), BuiltInStreams().end());
    for (const bool refuse : {false, true}) {
      streams.push_back({.name = refuse ? "strict" : "report",
                         .topic = refuse ? "strict" : "report",
                         .collection = "reports",
                         .kind = StreamKind::kSales,
                         .format = StreamFormat::kProtobuf,
                         .proto = TIDEGATE_TEST_SCHEMAS,
                         .message = refuse ? "older.Message" : "fleet.Report",
                         .refuse_unknown = refuse});
    }
    return Decoder({}, StreamTable::Make(std::move(streams)).value());
  }();
  return decoder;
}

std::variant<Document, Refusal> Decode(size_t stream, std::string_view value) {
  const std::vector<Stream>& streams = TheDecoder().streams().streams();
  return TheDecoder().Decode({.partition = {streams[stream % streams.size()].topic, 1},
                              .offset = 7,
                              .timestamp = WallTime{},
                              .key = {},
                              .value = std::string(value),
                              .headers = {}},
                             WallTime{});
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view value = tidegate::fuzz::TextOf(data + 1, size - 1);
  const auto decoded = Decode(data[0], value);
  if (const auto* refusal = std::get_if<Refusal>(&decoded)) {
    tidegate::fuzz::Check(!refusal->text.empty(), "a refusal tells why");
    return 0;
  }
  const Document& document = std::get<Document>(decoded);
  tidegate::fuzz::Check(!document.id.empty(), "a document has an id");
  tidegate::fuzz::Check(document.asset.empty() || IsAssetName(document.asset), "an asset's name");
  tidegate::fuzz::Check(document.tenant.empty() || IsTenantName(document.tenant),
                        "a tenant's name");
  tidegate::fuzz::Check(document.value.root().is_object(), "a document is an object");
  const auto again = Decode(data[0], value);
  tidegate::fuzz::Check(std::get<Document>(again).id == document.id, "the same has the same id");
  return 0;
}
