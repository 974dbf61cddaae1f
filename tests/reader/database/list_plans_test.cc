// Plans every list of the HTTP API, with every combination of its filters, on the indexes that the
// reader makes. Each list must be read from one index in its order, and each index must serve a
// list. SQLite explains its plan. MongoDB's plan follows from its rule: an index gives the order if
// its keys are members with an equality condition, then the keys of the sort.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "reader/database/landing.h"
#include "reader/database/list_indexes.h"
#include "reader/database/mongo/mongo_filter.h"
#include "reader/database/sqlite/sqlite_connection.h"
#include "reader/database/sqlite/sqlite_query.h"
#include "reader/database/sqlite/sqlite_table.h"
#include "reader/serve/arguments.h"
#include "reader/serve/listing.h"
#include "tests/support/fake_clock.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

using Parameters = std::map<std::string, std::string>;
using Keys = std::vector<std::pair<std::string, int>>;

// What a parameter may be besides not being there; times and places are added to the query.
std::vector<std::string> ValuesOf(const Parameter& parameter) {
  switch (parameter.type) {
    case ParameterType::kTenant:
      return {"acme"};
    case ParameterType::kStream: {
      std::vector<std::string> names;
      for (const Stream& stream : BuiltInStreams()) names.push_back(stream.name);
      return names;
    }
    case ParameterType::kText:
      return {"x"};
    case ParameterType::kChoice:
    case ParameterType::kActive:
      return {std::string(parameter.choices.front())};
    default:
      return {};
  }
}

std::vector<Parameters> Combinations(std::span<const Parameter> parameters) {
  std::vector<Parameters> all{{}};
  for (const Parameter& parameter : parameters) {
    const size_t without = all.size();
    for (const std::string& value : ValuesOf(parameter)) {
      for (size_t i = 0; i < without; ++i) {
        all.push_back(all[i]);
        all.back()[std::string(parameter.name)] = value;
      }
    }
  }
  return all;
}

class ListPlans : public testing::TestWithParam<Tenancy> {
 protected:
  struct Asked {
    std::string text;  // For people.
    Query query;
  };

  ListPlans() {
    placement_.tenancy = GetParam();
    placement_.streams.assign(BuiltInStreams().begin(), BuiltInStreams().end());
    for (const Stream& stream : placement_.streams)
      indexes_[stream.collection] = IndexesFor(stream, GetParam());
    for (auto& [collection, indexes] : ProjectionIndexes(GetParam()))
      indexes_[collection] = std::move(indexes);
    for (const Endpoint& endpoint : EndpointTable()) {
      if (endpoint.answer == Answer::kList) AskAll(endpoint);
    }
  }

  // By an operator, by a token of one tenant, and by one of two.
  void AskAll(const Endpoint& endpoint) {
    std::string path(endpoint.path);
    if (const size_t at = path.find("{id}"); at != std::string::npos) path.replace(at, 4, "dev-1");
    const std::vector<Principal> principals{
        {.every_tenant = true}, {.tenants = {"acme"}}, {.tenants = {"acme", "globex"}}};
    for (const Parameters& parameters : Combinations(endpoint.parameters)) {
      const auto arguments = ReadArguments(FindRoute("GET", path), path, parameters);
      ASSERT_TRUE(arguments.ok()) << arguments.error().message;
      for (const Principal& principal : principals)
        AskPages(path, *endpoint.listing, *arguments, principal);
    }
  }

  // The first page, a later one, and both of a span of time.
  void AskPages(const std::string& path, const Listing& listing, Arguments arguments,
                const Principal& principal) {
    const WallTime now = clock_.Now();
    for (const bool later : {false, true}) {
      for (const bool span : {false, true}) {
        arguments.after.reset();
        arguments.from.reset();
        arguments.to.reset();
        if (later) arguments.after = Place{now, "an id"};
        if (span) arguments.from = now - std::chrono::hours(1);
        if (span) arguments.to = now;
        const auto query = PlanQuery(listing, arguments, principal, placement_, now);
        // Where each tenant has a database of its own, a request has to name one.
        if (query.ok()) asked_.push_back({path + " " + Describe(*query), *query});
      }
    }
  }

  static std::string Describe(const Query& query) {
    std::string text = query.ns.database + "." + query.ns.collection;
    for (const Condition& condition : query.where)
      text += " " + condition.member + "=" + std::to_string(condition.any_of.size());
    return text + (query.from ? " span" : "") + (query.after ? " later" : "");
  }

  // Returns the indexes that give the order of the query, the most selective one first.
  std::vector<const Index*> Fitting(const std::string& collection,
                                    const std::set<std::string>& equal, const Keys& sort) const {
    std::vector<const Index*> fitting;
    for (const Index& index : indexes_.at(collection)) {
      if (index.retired || index.keys.size() < sort.size()) continue;
      const auto rest = index.keys.end() - static_cast<ptrdiff_t>(sort.size());
      const bool narrows = std::all_of(index.keys.begin(), rest,
                                       [&](const auto& key) { return equal.contains(key.first); });
      if (narrows && std::equal(sort.begin(), sort.end(), rest)) fitting.push_back(&index);
    }
    std::ranges::stable_sort(fitting, std::greater(),
                             [](const Index* index) { return index->keys.size(); });
    return fitting;
  }

  FakeClock clock_;
  Placement placement_;
  std::map<std::string, std::vector<Index>> indexes_;  // By collection.
  std::vector<Asked> asked_;
};

// The members that `filter` wants to equal one of some values.
std::set<std::string> EqualMembers(const bson_t* filter) {
  std::set<std::string> members;
  bson_iter_t member;
  bson_iter_t values;
  for (bson_iter_init(&member, filter); bson_iter_next(&member);) {
    if (bson_iter_key(&member)[0] != '$' && bson_iter_recurse(&member, &values) &&
        bson_iter_find(&values, "$in"))
      members.insert(bson_iter_key(&member));
  }
  return members;
}

Keys SortOf(const bson_t* options) {
  Keys keys;
  bson_iter_t sort;
  bson_iter_t key;
  if (!bson_iter_init_find(&sort, options, "sort") || !bson_iter_recurse(&sort, &key)) return keys;
  while (bson_iter_next(&key)) keys.emplace_back(bson_iter_key(&key), bson_iter_int32(&key));
  return keys;
}

TEST_P(ListPlans, AnIndexOfMongoDbNarrowsAndOrdersEveryList) {
  ASSERT_GT(asked_.size(), 500u);
  std::set<const Index*> used;
  for (const auto& [text, query] : asked_) {
    Bson filter;
    Bson options;
    AppendFilter(query, filter.get());
    AppendSort(query, options.get());
    const std::set<std::string> equal = EqualMembers(filter.get());
    const auto fitting = Fitting(query.ns.collection, equal, SortOf(options.get()));
    ASSERT_FALSE(fitting.empty()) << text;
    used.insert(fitting.begin(), fitting.end());
    // A shared database's other tenants cost nothing, and a device's list not the other devices.
    const auto& keys = fitting.front()->keys;
    const bool shared = GetParam() == Tenancy::kShared;
    const bool of_tenant = !shared || equal.contains("tenant_id");
    const bool of_device = equal.contains("asset_id") && query.ns.collection != "raw_sales";
    if (of_tenant) {
      EXPECT_EQ(keys.front().first == "tenant_id", shared) << text;
      EXPECT_GE(keys.size(), 2u + (shared ? 1 : 0) + (of_device ? 1 : 0)) << text;
    }
  }
  for (const auto& [collection, indexes] : indexes_) {
    for (const Index& index : indexes) {
      if (index.retired || index.name == "sku_time") continue;
      EXPECT_TRUE(used.contains(&index)) << collection << ": nobody asks for " << index.name;
    }
  }
}

TEST_P(ListPlans, SqliteReadsEveryListOffAnIndex) {
  const TemporaryFolder folder;
  const Log log{LogLevel::kError};
  const std::string path = folder.File("landing.db");
  const auto landing = OpenLanding("sqlite:" + path).value();
  const auto store = landing->NewStore(log).value();
  SqliteConnection connection({.path = path});
  ASSERT_TRUE(connection.Connect().ok());
  for (const auto& [text, query] : asked_)
    ASSERT_TRUE(store->EnsureIndexes(query.ns, indexes_.at(query.ns.collection)).ok());
  for (const auto& [text, query] : asked_) {
    std::string plan;
    const std::string sql = "EXPLAIN QUERY PLAN " + FindSql(query, 101).text();
    auto explained = connection.database().Prepare(sql);
    ASSERT_TRUE(explained.ok()) << sql;
    while (explained->Step().value()) plan += std::string(explained->Text(3)) + "\n";
    std::set<std::string> equal;
    for (const Condition& condition : query.where) {
      if (condition.any_of.size() == 1) equal.insert(condition.member);
    }
    const Keys sort{{query.time_member, -1}, {"_id", -1}};
    const size_t most = Fitting(query.ns.collection, equal, sort).front()->keys.size();
    bool best = false;
    for (const Index* index : Fitting(query.ns.collection, equal, sort)) {
      best |= index->keys.size() == most && plan.find(" USING INDEX " + TableName(query.ns) + "." +
                                                      index->name) != std::string::npos;
    }
    EXPECT_TRUE(best && plan.find("TEMP B-TREE") == std::string::npos) << text << "\n" << plan;
  }
}

INSTANTIATE_TEST_SUITE_P(Tenancies, ListPlans,
                         testing::Values(Tenancy::kShared, Tenancy::kDatabase),
                         [](const auto& instance) {
                           return instance.param == Tenancy::kShared ? "Shared" : "Database";
                         });

}  // namespace
}  // namespace tidegate::reader
