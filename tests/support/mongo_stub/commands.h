// Executes each command and makes its reply. One thread.
#pragma once

#include "tests/support/mongo_stub/collections.h"
#include "tests/support/mongo_stub/mongo_stub.h"
#include "tests/support/mongo_stub/wire.h"

namespace tidegate::mongo_stub {

// True for hellos and pings, which a driver's monitors send by themselves and no test scripts.
bool IsHandshake(const Request& request);

struct Executed {
  size_t taken = 0;   // The number of documents inserted.
  std::string reply;  // The reply's document.
};
// Applies the command to the collections as far as the answer allows.
Executed Execute(const MongoStub::Options& options, const Request& request, const Answer& answer,
                 Collections& collections);

}  // namespace tidegate::mongo_stub
