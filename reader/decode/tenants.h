// The tenants that may land and how long their documents are kept, which may be replaced while
// messages are decoded. Any thread.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/annotated_mutex.h"
#include "reader/database/retention.h"

namespace tidegate::reader {

struct Tenants {
  // Empty: any tenant may land.
  std::set<std::string, std::less<>> allowed = {};
  Retention retention = {};

  bool MayLand(std::string_view tenant) const {
    return allowed.empty() || allowed.contains(tenant);
  }
};

class TenantTable {
 public:
  explicit TenantTable(Tenants tenants) { Set(std::move(tenants)); }

  // The result does not change any more.
  std::shared_ptr<const Tenants> Get() const {
    const MutexLock lock(mutex_);
    return tenants_;
  }
  void Set(Tenants tenants) {
    auto next = std::make_shared<const Tenants>(std::move(tenants));
    const MutexLock lock(mutex_);
    tenants_ = std::move(next);
  }

 private:
  mutable AnnotatedMutex mutex_;
  std::shared_ptr<const Tenants> tenants_ TIDEGATE_GUARDED_BY(mutex_);
};

}  // namespace tidegate::reader
