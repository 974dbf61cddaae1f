#include "reader/database/mongo/mongo_landing.h"

#include <utility>

#include "reader/database/mongo/mongo_client.h"
#include "reader/database/mongo/mongo_clients.h"
#include "reader/database/mongo/mongo_completions.h"
#include "reader/database/mongo/mongo_projections.h"
#include "reader/database/mongo/mongo_store.h"

namespace tidegate::reader {

namespace {
class MongoLanding final : public Landing {
 public:
  explicit MongoLanding(UriHandle uri) : clients_(std::move(uri), "tidegate-reader") {}

  bool concurrent() const override { return true; }
  Result<std::unique_ptr<DocumentStore>> NewStore(const Log& log) override {
    auto client = clients_.Take();
    if (!client.ok()) return client.error();
    return MakeMongoStore(std::move(*client), log);
  }
  Result<std::unique_ptr<ProjectionStore>> NewProjections() override {
    auto client = clients_.Take();
    if (!client.ok()) return client.error();
    return MakeMongoProjections(std::move(*client));
  }
  Result<std::unique_ptr<Completions>> NewCompletions() override {
    auto client = clients_.Take();
    if (!client.ok()) return client.error();
    return MakeMongoCompletions(std::move(*client));
  }

 private:
  MongoClients clients_;
};

bool ReadsElsewhere(const mongoc_uri_t* uri) {
  return mongoc_read_prefs_get_mode(mongoc_uri_get_read_prefs_t(uri)) != MONGOC_READ_PRIMARY;
}

bool NamesWeakerConcern(const mongoc_uri_t* uri) {
  const mongoc_write_concern_t* concern = mongoc_uri_get_write_concern(uri);
  const int32_t w = mongoc_write_concern_get_w(concern);
  return w != MONGOC_WRITE_CONCERN_W_DEFAULT && w != MONGOC_WRITE_CONCERN_W_MAJORITY;
}

// What has landed survives the loss of the primary, and a projection is made from what was written
// last, only with these two. A URI's concern and preference are made when it is parsed: setting its
// options later would change nothing.
void ForceSafety(mongoc_uri_t* uri) {
  const WriteConcernHandle concern(mongoc_write_concern_copy(mongoc_uri_get_write_concern(uri)));
  mongoc_write_concern_set_w(concern.get(), MONGOC_WRITE_CONCERN_W_MAJORITY);
  if (mongoc_write_concern_get_wtimeout_int64(concern.get()) <= 0)
    mongoc_write_concern_set_wtimeout_int64(concern.get(), 30'000);
  mongoc_uri_set_write_concern(uri, concern.get());
  const ReadPrefsHandle primary(mongoc_read_prefs_new(MONGOC_READ_PRIMARY));
  mongoc_uri_set_read_prefs_t(uri, primary.get());
}

void SetDefaults(mongoc_uri_t* uri, std::chrono::milliseconds answer_within) {
  ForceSafety(uri);
  SetUriDefault(uri, MONGOC_URI_SOCKETTIMEOUTMS, static_cast<int32_t>(answer_within.count()));
  SetUriDefault(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 5'000);
  SetUriDefault(uri, MONGOC_URI_CONNECTTIMEOUTMS, 5'000);
  SetUriDefault(uri, MONGOC_URI_WAITQUEUETIMEOUTMS, 5'000);
  // A worker has several clients; the library's default is 100.
  SetUriDefault(uri, MONGOC_URI_MAXPOOLSIZE, 1'000);
}
}  // namespace

Result<std::unique_ptr<Landing>> OpenMongoLanding(const std::string& text,
                                                  const LandingOptions& options) {
  auto uri = ParseMongoUri(text);
  if (!uri.ok()) return uri.error();
  if (!mongoc_write_concern_is_acknowledged(mongoc_uri_get_write_concern(uri->get()))) {
    return Error{
        ErrorCode::kInvalid,
        "w=0 loses documents unseen and is refused: leave w out, or name a number or majority"};
  }
  SetDefaults(uri->get(), options.answer_within);
  return std::unique_ptr<Landing>(std::make_unique<MongoLanding>(std::move(*uri)));
}

std::vector<std::string> WarningsAboutUri(const std::string& text) {
  std::vector<std::string> warnings;
  const auto uri = ParseMongoUri(text);
  if (!uri.ok()) return warnings;
  if (NamesWeakerConcern(uri->get()))
    warnings.emplace_back(
        "w= of the URI is ignored: documents and projections are written with w=majority");
  if (ReadsElsewhere(uri->get())) {
    warnings.emplace_back(
        "readPreference of the URI is for queries only: landing and projecting use the primary");
  }
  return warnings;
}

std::string DatabaseOfUri(const std::string& text) {
  const auto uri = ParseMongoUri(text);
  const char* database = uri.ok() ? mongoc_uri_get_database(uri->get()) : nullptr;
  return database ? database : "";
}

}  // namespace tidegate::reader
