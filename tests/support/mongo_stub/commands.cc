#include "tests/support/mongo_stub/commands.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <string>

#include "tests/support/mongo_stub/bson_handle.h"
#include "tests/support/mongo_stub/updates.h"

namespace tidegate::mongo_stub {

namespace {
constexpr int32_t kUnauthorized = 13;
constexpr int32_t kDuplicateKey = 11000;
constexpr int32_t kCommandNotFound = 59;
constexpr int32_t kNamespaceNotFound = 26;
constexpr int32_t kIndexNotFound = 27;
constexpr int32_t kWireVersion = 17;  // MongoDB 6.0's.

void Finish(bson_t* reply, bool ok) {
  BSON_APPEND_DOUBLE(reply, "ok", ok ? 1.0 : 0.0);
}

void Fail(bson_t* reply, int32_t code, const char* message) {
  BSON_APPEND_UTF8(reply, "errmsg", message);
  BSON_APPEND_INT32(reply, "code", code);
  Finish(reply, false);
}

void Hello(const MongoStub::Options& options, bson_t* reply) {
  BSON_APPEND_BOOL(reply, "helloOk", true);
  BSON_APPEND_BOOL(reply, "ismaster", true);
  BSON_APPEND_BOOL(reply, "isWritablePrimary", true);
  BSON_APPEND_INT32(reply, "maxBsonObjectSize", options.max_document_bytes);
  BSON_APPEND_INT32(reply, "maxMessageSizeBytes", kMaxMessageBytes);
  BSON_APPEND_INT32(reply, "maxWriteBatchSize", options.max_write_batch);
  BSON_APPEND_INT32(reply, "minWireVersion", 0);
  BSON_APPEND_INT32(reply, "maxWireVersion", kWireVersion);
  BSON_APPEND_BOOL(reply, "readOnly", false);
  Finish(reply, true);
}

bool Flag(Bytes bytes, const char* name, bool fallback) {
  bson_t body;
  bson_iter_t member;
  return View(bytes, &body) && bson_iter_init_find(&member, &body, name)
             ? bson_iter_as_bool(&member)
             : fallback;
}

// Takes the documents one by one, and collects what was wrong with each.
class Insertion {
 public:
  Insertion(const MongoStub::Options& options, const Request& request, const Answer& answer,
            Collections& collections)
      : options_(options),
        request_(request),
        answer_(answer),
        collections_(collections),
        ns_(std::string(request.database) + "." + std::string(request.collection)) {}

  size_t Run() {
    const bool ordered = Flag(request_.body, "ordered", true);
    for (size_t i = 0; i < request_.documents.size(); ++i) {
      if (!Take(static_cast<int32_t>(i)) && ordered) break;
    }
    if (answer_.foreign_error)
      errors_.push_back({static_cast<int32_t>(request_.documents.size()), 121});
    return taken_;
  }

  void Describe(bson_t* reply) const {
    BSON_APPEND_INT32(reply, "n", static_cast<int32_t>(taken_));
    if (!errors_.empty()) DescribeErrors(reply);
    if (answer_.concern_code != 0) {
      bson_t concern;
      BSON_APPEND_DOCUMENT_BEGIN(reply, "writeConcernError", &concern);
      BSON_APPEND_INT32(&concern, "code", answer_.concern_code);
      BSON_APPEND_UTF8(&concern, "errmsg", "scripted");
      bson_append_document_end(reply, &concern);
    }
    Finish(reply, true);
  }

 private:
  bool Take(int32_t index) {
    const auto scripted =
        std::ranges::find(answer_.write_errors, index, &Answer::WriteError::index);
    if (scripted != answer_.write_errors.end()) {
      errors_.push_back(*scripted);
      return false;
    }
    const Bytes document = request_.documents[static_cast<size_t>(index)];
    if (document.size() > static_cast<size_t>(options_.max_document_bytes)) {
      errors_.push_back({index, 10334, "BSONObjectTooLarge"});
      return false;
    }
    if (options_.keep && !collections_.Insert(ns_, document)) {
      errors_.push_back({index, kDuplicateKey, "E11000 duplicate key error", "_id"});
      return false;
    }
    ++taken_;
    return true;
  }

  void DescribeErrors(bson_t* reply) const {
    bson_t list;
    BSON_APPEND_ARRAY_BEGIN(reply, "writeErrors", &list);
    for (size_t i = 0; i < errors_.size(); ++i) {
      bson_t item;
      bson_append_document_begin(&list, std::to_string(i).c_str(), -1, &item);
      BSON_APPEND_INT32(&item, "index", errors_[i].index);
      BSON_APPEND_INT32(&item, "code", errors_[i].code);
      BSON_APPEND_UTF8(&item, "errmsg", errors_[i].message.c_str());
      if (!errors_[i].key.empty()) {
        bson_t pattern;
        BSON_APPEND_DOCUMENT_BEGIN(&item, "keyPattern", &pattern);
        BSON_APPEND_INT32(&pattern, errors_[i].key.c_str(), 1);
        bson_append_document_end(&item, &pattern);
      }
      bson_append_document_end(&list, &item);
    }
    bson_append_array_end(reply, &list);
  }

  const MongoStub::Options& options_;
  const Request& request_;
  const Answer& answer_;
  Collections& collections_;
  const std::string ns_;
  std::vector<Answer::WriteError> errors_;
  size_t taken_ = 0;
};

void CreateIndexes(const Request& request, const std::string& ns, Collections& collections,
                   bson_t* reply) {
  bson_t body;
  bson_iter_t member;
  bson_iter_t element;
  if (View(request.body, &body) && bson_iter_init_find(&member, &body, "indexes") &&
      bson_iter_recurse(&member, &element)) {
    while (bson_iter_next(&element)) collections.Index(ns, DocumentAt(element));
  }
  Finish(reply, true);
}

void DropIndexes(const Request& request, const std::string& ns, Collections& collections,
                 bson_t* reply) {
  bson_t body;
  bson_iter_t name;
  const bool dropped = View(request.body, &body) && bson_iter_init_find(&name, &body, "index") &&
                       BSON_ITER_HOLDS_UTF8(&name) &&
                       collections.DropIndex(ns, bson_iter_utf8(&name, nullptr));
  if (!dropped) return Fail(reply, kIndexNotFound, "index not found");
  Finish(reply, true);
}

void AppendBatch(const std::string& ns, const std::vector<const Stored*>& found, bson_t* reply) {
  bson_t cursor;
  bson_t batch;
  BSON_APPEND_DOCUMENT_BEGIN(reply, "cursor", &cursor);
  BSON_APPEND_INT64(&cursor, "id", 0);
  BSON_APPEND_UTF8(&cursor, "ns", ns.c_str());
  BSON_APPEND_ARRAY_BEGIN(&cursor, "firstBatch", &batch);
  for (size_t i = 0; i < found.size(); ++i) {
    bson_t document;
    if (View(BytesOf(*found[i]), &document))
      bson_append_document(&batch, std::to_string(i).c_str(), -1, &document);
  }
  bson_append_array_end(&cursor, &batch);
  bson_append_document_end(reply, &cursor);
  Finish(reply, true);
}

void Find(const Request& request, const std::string& ns, const Collections& collections,
          bson_t* reply) {
  bson_t body;
  bson_iter_t member;
  Bytes filter;
  if (View(request.body, &body) && bson_iter_init_find(&member, &body, "filter"))
    filter = DocumentAt(member);
  Bytes order;
  if (View(request.body, &body) && bson_iter_init_find(&member, &body, "sort"))
    order = DocumentAt(member);
  AppendBatch(ns, collections.Find(ns, filter, order), reply);
}

// True if the request writes and the file lists its database.
bool IsRefused(const MongoStub::Options& options, const Request& request) {
  if (options.refused_file.empty() || request.command == "find") return false;
  std::ifstream file(options.refused_file);
  for (std::string line; std::getline(file, line);)
    if (line == request.database) return true;
  return false;
}

// How many documents were taken.
size_t Answered(const MongoStub::Options& options, const Request& request, const Answer& answer,
                Collections& collections, bson_t* reply) {
  const std::string ns = std::string(request.database) + "." + std::string(request.collection);
  if (answer.code != 0) return Fail(reply, answer.code, "scripted"), 0;
  if (IsRefused(options, request)) return Fail(reply, kUnauthorized, "not authorized"), 0;
  if (request.command == "insert") {
    Insertion insertion(options, request, answer, collections);
    const size_t taken = insertion.Run();
    insertion.Describe(reply);
    return taken;
  }
  if (request.command == "ping" || request.command == "endSessions") {
    Finish(reply, true);
  } else if (IsHandshake(request)) {
    Hello(options, reply);
  } else if (request.command == "update") {
    Update(request, ns, collections, reply);
  } else if (request.command == "find") {
    Find(request, ns, collections, reply);
  } else if (request.command == "drop") {
    if (!collections.Drop(ns)) return Fail(reply, kNamespaceNotFound, "ns not found"), 0;
    Finish(reply, true);
  } else if (request.command == "createIndexes") {
    CreateIndexes(request, ns, collections, reply);
  } else if (request.command == "dropIndexes") {
    DropIndexes(request, ns, collections, reply);
  } else if (request.command == "listIndexes") {
    AppendBatch(ns, collections.IndexesOf(ns), reply);
  } else {
    Fail(reply, kCommandNotFound, "no such command");
  }
  return 0;
}
}  // namespace

bool IsHandshake(const Request& request) {
  constexpr std::array<std::string_view, 5> kHandshakes{"hello", "isMaster", "ismaster", "ping",
                                                        "endSessions"};
  return std::ranges::find(kHandshakes, request.command) != kHandshakes.end();
}

Executed Execute(const MongoStub::Options& options, const Request& request, const Answer& answer,
                 Collections& collections) {
  Reply reply;
  const size_t taken = Answered(options, request, answer, collections, reply.get());
  return {taken, reply.bytes()};
}

}  // namespace tidegate::mongo_stub
