#include "reader/database/mongo/mongo_filter.h"

namespace tidegate::reader {

namespace {
// The year 1: some drivers and servers cannot read earlier times.
constexpr int64_t kEarliest = -62'135'596'800'000;

int64_t Milliseconds(WallTime time) {
  return time.time_since_epoch().count();
}

void AppendCondition(const Condition& condition, bson_t* filter) {
  bson_t in;
  bson_t values;
  BSON_APPEND_DOCUMENT_BEGIN(filter, condition.member.c_str(), &in);
  BSON_APPEND_ARRAY_BEGIN(&in, "$in", &values);
  for (size_t i = 0; i < condition.any_of.size(); ++i) {
    const std::string key = std::to_string(i);
    if (const auto* text = std::get_if<std::string>(&condition.any_of[i])) {
      bson_append_utf8(&values, key.c_str(), -1, text->data(), static_cast<int>(text->size()));
    } else {
      BSON_APPEND_BOOL(&values, key.c_str(), std::get<bool>(condition.any_of[i]));
    }
  }
  bson_append_array_end(&in, &values);
  bson_append_document_end(filter, &in);
}

// A comparison with a date finds only dates, one with text only text.
void AppendTimes(const Query& query, bson_t* filter) {
  bson_t range;
  BSON_APPEND_DOCUMENT_BEGIN(filter, query.time_member.c_str(), &range);
  BSON_APPEND_DATE_TIME(&range, "$gte", query.from ? Milliseconds(*query.from) : kEarliest);
  if (query.to) BSON_APPEND_DATE_TIME(&range, "$lt", Milliseconds(*query.to));
  if (query.after) BSON_APPEND_DATE_TIME(&range, "$lte", Milliseconds(query.after->time));
  bson_append_document_end(filter, &range);
  bson_t ids;
  BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &ids);
  BSON_APPEND_UTF8(&ids, "$gte", "");
  bson_append_document_end(filter, &ids);
}

// Matches documents of an earlier time, and those of the same time with a smaller id.
void AppendAfter(const Query& query, bson_t* filter) {
  bson_t either;
  bson_t branch;
  bson_t compare;
  BSON_APPEND_ARRAY_BEGIN(filter, "$or", &either);
  BSON_APPEND_DOCUMENT_BEGIN(&either, "0", &branch);
  BSON_APPEND_DOCUMENT_BEGIN(&branch, query.time_member.c_str(), &compare);
  BSON_APPEND_DATE_TIME(&compare, "$lt", Milliseconds(query.after->time));
  bson_append_document_end(&branch, &compare);
  bson_append_document_end(&either, &branch);
  BSON_APPEND_DOCUMENT_BEGIN(&either, "1", &branch);
  BSON_APPEND_DOCUMENT_BEGIN(&branch, "_id", &compare);
  bson_append_utf8(&compare, "$lt", -1, query.after->id.data(),
                   static_cast<int>(query.after->id.size()));
  bson_append_document_end(&branch, &compare);
  bson_append_document_end(&either, &branch);
  bson_append_array_end(filter, &either);
}
}  // namespace

void AppendFilter(const Query& query, bson_t* filter) {
  for (const Condition& condition : query.where) AppendCondition(condition, filter);
  AppendTimes(query, filter);
  if (query.after) AppendAfter(query, filter);
}

void AppendSort(const Query& query, bson_t* options) {
  bson_t sort;
  BSON_APPEND_DOCUMENT_BEGIN(options, "sort", &sort);
  BSON_APPEND_INT32(&sort, query.time_member.c_str(), -1);
  BSON_APPEND_INT32(&sort, "_id", -1);
  bson_append_document_end(options, &sort);
}

}  // namespace tidegate::reader
