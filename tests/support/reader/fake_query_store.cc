#include "tests/support/reader/fake_query_store.h"

#include <algorithm>
#include <tuple>

#include "core/json/json.h"
#include "core/time_format.h"

namespace tidegate::reader {

namespace {
bool Equals(const std::optional<json::Value>& member,
            const std::variant<std::string, bool>& value) {
  if (!member) return false;
  if (const auto* text = std::get_if<std::string>(&value))
    return member->is_string() && member->as_string() == *text;
  return member->type() == json::Type::kBool && member->as_bool() == std::get<bool>(value);
}

bool Holds(const Condition& condition, json::Value root) {
  return std::ranges::any_of(condition.any_of, [&](const auto& value) {
    return Equals(root.Find(condition.member), value);
  });
}

bool Later(const Place& left, const Place& right) {
  return std::tie(left.time, left.id) > std::tie(right.time, right.id);
}

std::optional<Place> Match(const Query& query, const std::string& id, const std::string& json) {
  const auto document = json::Document::Parse(json);
  const json::Value root = document->root();
  const auto member = root.Find(query.time_member);
  if (!member || !member->is_string()) return std::nullopt;
  const auto time = ParseTime(member->as_string());
  if (!time || (query.from && *time < *query.from) || (query.to && *time >= *query.to))
    return std::nullopt;
  Place place{*time, id};
  if (query.after && !Later(*query.after, place)) return std::nullopt;
  if (!std::ranges::all_of(query.where, [&](const auto& one) { return Holds(one, root); }))
    return std::nullopt;
  return place;
}

}  // namespace

class FakeQueryStore final : public QueryStore {
 public:
  explicit FakeQueryStore(const FakeDatabase& database) : database_(database) {}

  Result<Page> Find(const Query& query, const PageLimit& limit,
                    std::chrono::milliseconds within) override {
    database_.WaitWhileHanging(query.ns.database);
    if (Status status = Ping(within); !status.ok()) return status.error();
    Page page;
    for (FoundDocument& document : FindAll(query)) {
      if (!page.Add(std::move(document), limit)) break;
    }
    return page;
  }
  Result<uint64_t> Count(const Query& query, uint64_t most,
                         std::chrono::milliseconds within) override {
    if (Status status = Ping(within); !status.ok()) return status.error();
    return std::min<uint64_t>(FindAll(query).size(), most);
  }
  Status Ping(std::chrono::milliseconds) override {
    if (database_.down_) return Error{ErrorCode::kUnavailable, "the database is away"};
    return {};
  }

 private:
  std::vector<FoundDocument> FindAll(const Query& query) const {
    std::vector<FoundDocument> found;
    if (const auto ns = database_.documents_.find(query.ns); ns != database_.documents_.end()) {
      for (const auto& [id, json] : ns->second) {
        if (auto place = Match(query, id, json)) found.push_back({*place, json});
      }
    }
    std::ranges::sort(found, Later, &FoundDocument::place);
    return found;
  }

  const FakeDatabase& database_;
};

void FakeDatabase::Hang(std::string database) {
  const std::lock_guard lock(mutex_);
  hanging_ = std::move(database);
}

void FakeDatabase::Release() {
  Hang({});
  released_.notify_all();
}

void FakeDatabase::WaitWhileHanging(const std::string& database) const {
  std::unique_lock lock(mutex_);
  released_.wait(lock, [&] { return hanging_ != database; });
}

std::unique_ptr<QueryStore> FakeDatabase::NewStore() const {
  return std::make_unique<FakeQueryStore>(*this);
}

}  // namespace tidegate::reader
