// A MongoDB server of the tests' own, on the loopback interface: it lands what it is sent, and
// does on demand what a healthy server never does. Each connection has a thread of its own; the
// methods may be called from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"

namespace tidegate::mongo_stub {

// What becomes of one command. The default is a healthy answer.
struct Answer {
  struct WriteError {
    int32_t index;
    int32_t code;
    std::string message = "scripted";
    std::string key = {};  // What a duplicate's keyPattern names; empty: there is none.
  };
  enum class Connection {
    kKeep,
    kDropBefore,  // Closed when the command is read: nothing is taken.
    kDropAfter,   // Everything is taken, and then it is closed instead of the reply.
  };

  std::vector<WriteError> write_errors = {};  // These documents are not taken.
  int32_t code = 0;  // Not 0: {ok: 0, code}; nothing is taken, as when it is no primary (10107).
  bool foreign_error = false;  // Beside a success an error of a document that was never sent.
  int32_t concern_code = 0;    // Not 0: taken, but with this writeConcernError.
  Connection connection = Connection::kKeep;
  std::chrono::milliseconds delay{0};  // Before the reply, after the command has had its effect.
};

// A command as it came.
struct Seen {
  std::string command;
  std::string collection;
  size_t documents = 0;
  size_t message_bytes = 0;
  std::string body;  // As relaxed extended JSON, without a document sequence.
};

class MongoStub {
 public:
  struct Options {
    uint16_t port = 0;  // 0: a free one.
    // False: what is inserted is counted and forgotten, so that a bench has a sink that is never
    // the limit, and nothing is a duplicate.
    bool keep = true;
    int32_t max_write_batch = 100'000;
    int32_t max_document_bytes = 16 * 1024 * 1024;
  };

  static Result<std::unique_ptr<MongoStub>> Start(Options options);
  virtual ~MongoStub() = default;  // Closes every connection.

  virtual uint16_t port() const = 0;
  std::string uri(const std::string& options = {}) const {
    return "mongodb://127.0.0.1:" + std::to_string(port()) + "/?" + options;
  }

  // The next commands of that name are answered so, in the order of the calls, one each.
  virtual void Script(const std::string& command, Answer answer) = 0;

  // "database.collection". The ids in their order; the document as relaxed extended JSON, empty if
  // there is none.
  virtual std::vector<std::string> Ids(const std::string& ns) const = 0;
  virtual std::string Document(const std::string& ns, const std::string& id) const = 0;
  virtual std::vector<std::string> Indexes(const std::string& ns) const = 0;
  virtual size_t taken() const = 0;  // Documents, over all collections.
  // Every command but the handshakes and pings.
  virtual std::vector<Seen> seen() const = 0;
};

}  // namespace tidegate::mongo_stub
