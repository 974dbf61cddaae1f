#include "reader/serve/listing.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/check.h"
#include "core/json/json.h"
#include "reader/serve/cursor.h"

namespace tidegate::reader {

namespace {
// A database may return larger documents than the reader lands.
constexpr json::Limits kLimits{
    .max_bytes = 64 * 1024 * 1024, .max_depth = 128, .max_values = 1'000'000};
constexpr std::chrono::hours kDay{24};

Error InvalidListing(std::string text) {
  return {ErrorCode::kInvalid, std::move(text)};
}

Result<std::string> CollectionOf(const Listing& listing, const std::string& name,
                                 std::span<const Stream> streams) {
  if (!listing.collection.empty()) return std::string(listing.collection);
  auto stream = std::ranges::find(streams, name, &Stream::name);
  if (name.empty()) {
    stream = std::ranges::find(streams, StreamKind::kReading, &Stream::kind);
    if (stream == streams.end()) stream = streams.begin();
  }
  if (stream == streams.end())
    return InvalidListing("parameter stream: there is none of that name");
  return stream->collection;
}

// Returns the tenants whose documents are asked for; empty: those of every tenant and of none.
Result<std::vector<std::string>> TenantsFor(const std::string& named, const Principal& principal) {
  if (!named.empty()) {
    if (!principal.MaySee(named)) return Error{ErrorCode::kRejected, "not a tenant of this token"};
    return std::vector{named};
  }
  if (principal.every_tenant) return std::vector<std::string>();
  // An empty list would mean every tenant; a token has at least one.
  if (principal.tenants.empty()) return Error{ErrorCode::kRejected, "a token without tenants"};
  return std::vector<std::string>(principal.tenants.begin(), principal.tenants.end());
}

Status ChooseNamespace(std::span<const std::string> tenants, const Listing& listing,
                       const Placement& placement, Query& query) {
  query.ns.database = placement.database;
  if (tenants.size() == 1 && placement.tenancy == Tenancy::kDatabase)
    query.ns.database = DatabaseForTenant(placement.database, tenants[0]).name;
  if (!tenants.empty()) {
    if (tenants.size() > 1 && placement.tenancy == Tenancy::kDatabase)
      return InvalidListing("parameter tenant: name one, each has a database of its own");
    query.where.push_back({"tenant_id", {tenants.begin(), tenants.end()}});
    return {};
  }
  // Losses of whole partitions belong to no tenant and are in the main database.
  if (placement.tenancy == Tenancy::kDatabase && listing.collection != "losses")
    return InvalidListing("parameter tenant: name one, each has a database of its own");
  return {};
}

void WriteAverage(json::Value root, json::Writer& writer) {
  const auto sum = root.Find("sum");
  const auto count = root.Find("count");
  const bool known = sum && sum->is_number() && count && count->is_number();
  writer.Key("average");
  if (!known || count->as_number() <= 0) return writer.Null();
  writer.Double(sum->as_number() / count->as_number());
}

void WriteItem(const Listing& listing, json::Value root, json::Writer& writer) {
  writer.BeginObject();
  for (auto member = root.First(); member; member = member->Next()) {
    if (listing.provenance || member->key() != "tidegate") writer.Member(*member);
  }
  for (const AddedMember& added : listing.added) {
    const auto from = root.Find(added.from);
    if (!from || root.Find(added.name)) continue;
    writer.Key(added.name);
    writer.Copy(*from);
  }
  if (listing.average) WriteAverage(root, writer);
  writer.EndObject();
}

// A foreign writer may have stored a document that cannot be parsed: it is listed, not left out.
void WriteUnreadable(const FoundDocument& document, const std::string& why, json::Writer& writer) {
  writer.BeginObject();
  writer.Key("_id");
  writer.String(document.place.id);
  writer.Key("unreadable");
  writer.String(why);
  writer.EndObject();
}
}  // namespace

Result<Query> PlanQuery(const Listing& listing, const Arguments& arguments,
                        const Principal& principal, const Placement& placement, WallTime now) {
  const auto collection = CollectionOf(listing, arguments.stream, placement.streams);
  if (!collection.ok()) return collection.error();
  const auto tenants = TenantsFor(arguments.tenant, principal);
  if (!tenants.ok()) return tenants.error();
  Query query{.ns = {{}, *collection},
              .where = arguments.where,
              .time_member = std::string(listing.time_member),
              .from = arguments.from,
              .to = arguments.to,
              .after = arguments.after};
  if (Status status = ChooseNamespace(*tenants, listing, placement, query); !status.ok())
    return status.error();
  CHECK(principal.every_tenant || !tenants->empty(), "only an operator asks without a tenant");
  CHECK(std::ranges::all_of(*tenants, [&](const auto& name) { return principal.MaySee(name); }),
        "the caller may see every tenant of the query");
  if (listing.last_day && !query.from) query.from = now - kDay;
  return query;
}

std::string WritePage(const Listing& listing, const Page& page, uint64_t list) {
  std::string text;
  json::Writer writer(text);
  writer.BeginObject();
  writer.Key("items");
  writer.BeginArray();
  for (const FoundDocument& document : page.documents) {
    const auto parsed = json::Document::Parse(document.json, kLimits);
    if (parsed.ok() && parsed->root().is_object()) {
      WriteItem(listing, parsed->root(), writer);
    } else {
      WriteUnreadable(document, parsed.ok() ? "not an object" : parsed.error().message, writer);
    }
  }
  writer.EndArray();
  writer.Key("count");
  writer.Unsigned(page.documents.size());
  writer.Key("next_cursor");
  if (page.more && !page.documents.empty()) {
    writer.String(EncodeCursor(page.documents.back().place, list));
  } else {
    writer.Null();
  }
  writer.EndObject();
  return text;
}

}  // namespace tidegate::reader
