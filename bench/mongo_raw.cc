// The baseline of the reader's bench: libmongoc alone inserts the documents that the reader makes
// of the fleet's heartbeats, in unordered bulks of the reader's size and with the reader's write
// concern and indexes. The documents are converted to BSON before the clock starts. The program
// prints how many documents were inserted, how many existed already, the seconds that the bulks
// took, and the CPU time.
//
//   tidegate-bench-mongo-raw MONGODB_URI DATABASE COUNT [BULK]
#include <fmt/format.h>

#include <chrono>
#include <string>
#include <vector>

#include "bench/reader_rig.h"
#include "bench/stage_run.h"
#include "core/log.h"
#include "reader/database/landing.h"
#include "reader/database/mongo/mongo_bson.h"
#include "reader/database/mongo/mongoc_handle.h"

namespace tidegate::reader {
namespace {

using Clock = std::chrono::steady_clock;

struct ClientDestroyer {
  void operator()(mongoc_client_t* client) const { mongoc_client_destroy(client); }
};

void MakeIndexes(const std::string& uri, const Decoder& decoder) {
  const Log log(LogLevel::kWarning);
  const auto landing = OpenLanding(uri);
  const auto store = landing.value()->NewStore(log);
  for (const auto& [ns, stream] : decoder.KnownNamespaces()) {
    if (Status status = (*store)->EnsureIndexes(ns, IndexesFor(*stream, Tenancy::kShared));
        !status.ok()) {
      fmt::print(stderr, "{}\n", status.error().message);
      std::exit(1);
    }
  }
}

std::vector<std::string> Prepare(const Decoder& decoder, size_t count) {
  std::vector<std::string> prepared;
  prepared.reserve(count);
  for (const SourceMessage& message : BenchMessages(count)) {
    Bson bson;
    if (!AppendDocument(BenchDocument(decoder, message), bson.get()).ok()) std::exit(1);
    prepared.emplace_back(reinterpret_cast<const char*>(bson_get_data(bson.get())),
                          bson.get()->len);
  }
  return prepared;
}

struct Inserted {
  int64_t inserted = 0;
  // Documents whose id existed already.
  int64_t refused = 0;
};

Inserted Insert(mongoc_collection_t* collection, std::span<const std::string> documents) {
  Bson options;
  BSON_APPEND_BOOL(options.get(), "ordered", false);
  Bson unchecked;
  BSON_APPEND_BOOL(unchecked.get(), "validate", false);
  const BulkHandle bulk(
      mongoc_collection_create_bulk_operation_with_opts(collection, options.get()));
  bson_error_t error{};
  for (const std::string& document : documents) {
    bson_t bson;
    if (!bson_init_static(&bson, reinterpret_cast<const uint8_t*>(document.data()),
                          document.size()) ||
        !mongoc_bulk_operation_insert_with_opts(bulk.get(), &bson, unchecked.get(), &error)) {
      std::exit(1);
    }
  }
  bson_t reply;
  const bool succeeded = mongoc_bulk_operation_execute(bulk.get(), &reply, &error) != 0;
  bson_iter_t member;
  const int64_t inserted =
      bson_iter_init_find(&member, &reply, "nInserted") ? bson_iter_as_int64(&member) : 0;
  bson_destroy(&reply);
  if (!succeeded && error.code != 11000) {
    fmt::print(stderr, "{}\n", error.message);
    std::exit(1);
  }
  return {inserted, static_cast<int64_t>(documents.size()) - inserted};
}

int Main(const std::string& uri, const std::string& database, size_t count, size_t bulk) {
  const Decoder decoder = BenchDecoder(database);
  MakeIndexes(uri, decoder);
  const std::vector<std::string> documents = Prepare(decoder, count);
  const UriHandle parsed(mongoc_uri_new(uri.c_str()));
  const std::unique_ptr<mongoc_client_t, ClientDestroyer> client(
      mongoc_client_new_from_uri(parsed.get()));
  const CollectionHandle collection(mongoc_client_get_collection(
      client.get(), database.c_str(), BuiltInStreams().front().collection.c_str()));
  const WriteConcernHandle concern(mongoc_write_concern_new());
  mongoc_write_concern_set_w(concern.get(), MONGOC_WRITE_CONCERN_W_MAJORITY);
  mongoc_collection_set_write_concern(collection.get(), concern.get());
  Inserted total;
  const double cpu = CpuSeconds(CLOCK_PROCESS_CPUTIME_ID);
  const Clock::time_point begin = Clock::now();
  for (size_t first = 0; first < documents.size(); first += bulk) {
    const Inserted some =
        Insert(collection.get(),
               std::span(documents).subspan(first, std::min(bulk, documents.size() - first)));
    total.inserted += some.inserted;
    total.refused += some.refused;
  }
  fmt::print("{{\"inserted\":{},\"refused\":{},\"seconds\":{:.6f},\"cpu_seconds\":{:.6f}}}\n",
             total.inserted, total.refused,
             std::chrono::duration<double>(Clock::now() - begin).count(),
             CpuSeconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
  return 0;
}

}  // namespace
}  // namespace tidegate::reader

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    fmt::print(stderr, "usage: {} MONGODB_URI DATABASE COUNT [BULK]\n", argv[0]);
    return 2;
  }
  return tidegate::reader::Main(argv[1], argv[2], std::stoul(argv[3]),
                                argc == 5 ? std::stoul(argv[4]) : 5'000);
}
