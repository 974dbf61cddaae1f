// What the stub answers to each command. One thread.
#pragma once

#include "tests/support/mongo_stub/collections.h"
#include "tests/support/mongo_stub/mongo_stub.h"
#include "tests/support/mongo_stub/wire.h"

namespace tidegate::mongo_stub {

// Hellos and pings: what a driver's monitors ask on their own account, and no test scripts.
bool IsHandshake(const Request& request);

struct Executed {
  size_t taken = 0;   // Documents.
  std::string reply;  // A document.
};
// Changes the collections as the answer says.
Executed Execute(const MongoStub::Options& options, const Request& request, const Answer& answer,
                 Collections& collections);

}  // namespace tidegate::mongo_stub
