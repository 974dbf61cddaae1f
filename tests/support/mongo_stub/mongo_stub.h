// A MongoDB server for tests on the loopback interface. It stores what it is sent, and on demand it
// fails in ways in which a healthy server never does. Each connection has a thread of its own; the
// methods may be called from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"

namespace tidegate::mongo_stub {

// How one command is answered. The default is a healthy answer.
struct Answer {
  struct WriteError {
    int32_t index;
    int32_t code;
    std::string message = "scripted";
    // The member in a duplicate's keyPattern; empty: no keyPattern.
    std::string key = {};
  };
  enum class Connection {
    kKeep,
    kDropBefore,  // Closed when the command is read: nothing is stored.
    kDropAfter,   // Everything is stored, then the connection is closed without a reply.
  };

  // These documents are not stored.
  std::vector<WriteError> write_errors = {};
  // If not 0, the reply is {ok: 0, code} and nothing is stored, as on a secondary (10107).
  int32_t code = 0;
  // The reply also has an error for a document that was never sent.
  bool foreign_error = false;
  // If not 0, everything is stored and the reply has this writeConcernError.
  int32_t concern_code = 0;
  Connection connection = Connection::kKeep;
  // The time between the command's effect and the reply.
  std::chrono::milliseconds delay{0};
};

// A command as it was received.
struct Seen {
  std::string command;
  std::string collection;
  size_t documents = 0;
  size_t message_bytes = 0;
  // Relaxed extended JSON, without a document sequence.
  std::string body;
};

class MongoStub {
 public:
  struct Options {
    // 0: a free port.
    uint16_t port = 0;
    // False: documents are counted but not stored, so that nothing is a duplicate and a bench has a
    // sink that is never the limit.
    bool keep = true;
    // A file that lists, one a line, the databases in which every command but `find` is refused
    // with code 13 (Unauthorized). It is read again with each command; empty: none.
    std::string refused_file = {};
    int32_t max_write_batch = 100'000;
    int32_t max_document_bytes = 16 * 1024 * 1024;
  };

  static Result<std::unique_ptr<MongoStub>> Start(Options options);
  // Closes every connection.
  virtual ~MongoStub() = default;

  virtual uint16_t port() const = 0;
  std::string uri(const std::string& options = {}) const {
    return "mongodb://127.0.0.1:" + std::to_string(port()) + "/?" + options;
  }

  // Answers the next command of that name. Several calls answer several commands in their order.
  virtual void Script(const std::string& command, Answer answer) = 0;

  // `ns` is "database.collection". Ids are returned in their order; a document as relaxed extended
  // JSON, empty if it does not exist.
  virtual std::vector<std::string> Ids(const std::string& ns) const = 0;
  virtual std::string Document(const std::string& ns, const std::string& id) const = 0;
  virtual std::vector<std::string> Indexes(const std::string& ns) const = 0;
  // The number of documents inserted into all collections.
  virtual size_t taken() const = 0;
  // Returns every command except handshakes and pings.
  virtual std::vector<Seen> seen() const = 0;
};

}  // namespace tidegate::mongo_stub
