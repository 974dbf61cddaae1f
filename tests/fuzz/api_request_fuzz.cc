// A request to the API as a client may write it: the first line is the path, the second the
// Authorization header, each further one a parameter as name=value. Whatever it holds: it is
// refused with a reason, or the query shows one tenant's documents only.
#include <algorithm>
#include <map>
#include <string>

#include "reader/serve/arguments.h"
#include "reader/serve/cursor.h"
#include "reader/serve/listing.h"
#include "reader/serve/tokens.h"
#include "tests/fuzz/fuzz.h"

namespace {
using namespace tidegate::reader;  // NOLINT: a program of one function.
using tidegate::fuzz::Check;

std::string_view NextLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

bool IsOfAcmeOnly(const Query& query) {
  for (const Condition& condition : query.where) {
    if (condition.member == "tenant_id")
      return condition.any_of.size() == 1 && std::get<std::string>(condition.any_of[0]) == "acme";
  }
  return false;
}

void CheckCursor(const Arguments& arguments) {
  if (!arguments.after) return;
  const auto again = DecodeCursor(EncodeCursor(*arguments.after, arguments.list), arguments.list);
  Check(again == arguments.after, "a cursor reads back");
}

void CheckPlan(const Listing& listing, const Arguments& arguments) {
  const Principal acme{.every_tenant = false, .tenants = {"acme"}};
  for (const Tenancy tenancy : {Tenancy::kShared, Tenancy::kDatabase}) {
    const Placement placement{tenancy, "fleet", {{"a", "t", "c"}}};
    const auto query = PlanQuery(listing, arguments, acme, placement, {});
    if (!query.ok()) {
      Check(!query.error().message.empty(), "a refusal has a reason");
      continue;
    }
    Check(IsOfAcmeOnly(*query), "a query is of the token's tenant only");
    const bool own = query->ns.database == (tenancy == Tenancy::kShared ? "fleet" : "fleet_acme");
    Check(own, "a query asks the tenant's database");
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text = tidegate::fuzz::TextOf(data, size);
  const std::string_view path = NextLine(text);
  static const TokenTable tokens =
      TokenTable::Parse("a-token-of-sixteen-bytes tenants=acme role=read").value();
  const std::string_view authorization = NextLine(text);
  const bool known = tokens.Find(authorization, nullptr) != nullptr;
  Check(!known || authorization.ends_with("a-token-of-sixteen-bytes"), "a token is whole");
  std::map<std::string, std::string> query;
  while (!text.empty()) {
    const std::string_view line = NextLine(text);
    const size_t equals = std::min(line.find('='), line.size());
    query.emplace(line.substr(0, equals), line.substr(std::min(equals + 1, line.size())));
  }
  const Route route = FindRoute("GET", path);
  if (route.endpoint == nullptr) return 0;
  const auto arguments = ReadArguments(route, path, query);
  if (!arguments.ok()) {
    Check(!arguments.error().message.empty(), "a refusal has a reason");
    return 0;
  }
  Check(arguments->limit >= 1 && arguments->limit <= kMaxLimit, "the limit is bounded");
  CheckCursor(*arguments);
  if (route.endpoint->listing != nullptr) CheckPlan(*route.endpoint->listing, *arguments);
  return 0;
}
