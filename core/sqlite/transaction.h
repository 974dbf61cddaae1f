// A write transaction on one connection. It is rolled back unless Commit succeeded. Belongs to the
// connection's thread and is destroyed before the Database.
#pragma once

#include "core/result.h"
#include "core/sqlite/database.h"

namespace tidegate::sqlite {

class Transaction {
 public:
  // Takes the write lock at once. kUnavailable: another connection holds it, or this connection has
  // a transaction already.
  static Result<Transaction> Begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  // Makes the changes durable, as far as the connection's `synchronous` goes. After an error the
  // destructor rolls back. REQUIRES: not committed yet.
  Status Commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}

  // nullptr: committed, or moved from.
  Database* database_;
};

}  // namespace tidegate::sqlite
