#include "core/sqlite/transaction.h"

#include <utility>

namespace tidegate::sqlite {

Result<Transaction> Transaction::Begin(Database& database) {
  if (Status status = database.Execute("BEGIN IMMEDIATE"); !status.ok()) return status.error();
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  // SQLite may have rolled back by itself after an error; then this statement fails, harmlessly.
  if (database_ != nullptr) (void)database_->Execute("ROLLBACK");
}

Status Transaction::Commit() {
  CHECK(database_ != nullptr, "a transaction is committed once");
  if (Status status = database_->Execute("COMMIT"); !status.ok()) return status;
  database_ = nullptr;
  return {};
}

}  // namespace tidegate::sqlite
