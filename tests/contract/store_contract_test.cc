#include "tests/contract/store_contract.h"
#include "tests/contract/store_state_contract.h"

#include "tests/support/memory_store.h"
#include "tests/support/store_fixture.h"

namespace tidegate {
namespace {

class MemoryStoreWorld final : public StoreWorld {
 public:
  Store& Open(bool drop_oldest) override {
    store_ = std::make_unique<MemoryStore>(
        MemoryStore::Options{"gw-1", kContractStoreBytes, drop_oldest});
    return *store_;
  }
  Store& Reopen() override {
    store_->Restart();
    return *store_;
  }

 private:
  std::unique_ptr<MemoryStore> store_;
};

class SqliteStoreWorld final : public StoreWorld {
 public:
  Store& Open(bool drop_oldest) override {
    fixture_.options.max_bytes = kContractStoreBytes;
    fixture_.options.full = drop_oldest ? FullPolicy::kDropOldest : FullPolicy::kStopReading;
    return fixture_.Reopen();
  }
  Store& Reopen() override { return fixture_.Reopen(); }

 private:
  SqliteStoreFixture fixture_;
};

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values(StoreWorldFactory{[] {
                           return std::make_unique<MemoryStoreWorld>();
                         }}));
INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, testing::Values(StoreWorldFactory{[] {
                           return std::make_unique<SqliteStoreWorld>();
                         }}));

}  // namespace
}  // namespace tidegate
