#include "uplink/outbox.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include "core/check.h"

namespace tidegate {

namespace {
// More records cost memory and save little on the wire.
constexpr size_t kEnoughRecords = 1000;
constexpr size_t kEnoughBytes = 512 * 1024;
// With fewer records an asset, the order of arrival compresses better: a fleet reports in the same
// order each time, so that similar records lie at equal distances.
constexpr size_t kWorthGrouping = 4;

using Asset = std::tuple<std::string_view, std::string_view>;
}  // namespace

void Outbox::Add(Batch batch) {
  CHECK(!sealed_, "nothing joins batches whose order is fixed");
  CHECK(batches_.empty() || batch.first_seq > batches_.back().first_seq,
        "batches are gathered in their order");
  const auto index = static_cast<uint32_t>(batches_.size());
  for (uint32_t i = 0; i < batch.records.size(); ++i) {
    order_.push_back({index, i});
    bytes_ += batch.records[i].value.size();
  }
  batches_.push_back(std::move(batch));
}

bool Outbox::full() const {
  return order_.size() >= kEnoughRecords || bytes_ >= kEnoughBytes;
}

const Batch* Outbox::Find(Seq first_seq) const {
  const auto found = std::ranges::find(batches_, first_seq, &Batch::first_seq);
  return found != batches_.end() ? &*found : nullptr;
}

const std::vector<Outbox::Item>& Outbox::Order() {
  if (std::exchange(sealed_, true)) return order_;
  const auto asset = [this](const Item& item) {
    const Record& record = batches_[item.batch].records[item.record];
    return Asset(record.tenant, record.asset);
  };
  std::vector<Item> grouped = order_;
  std::ranges::stable_sort(grouped, {}, asset);
  size_t assets = grouped.empty() ? 0 : 1;
  for (size_t i = 1; i < grouped.size(); ++i) {
    if (asset(grouped[i]) != asset(grouped[i - 1])) ++assets;
  }
  CHECK(grouped.size() == order_.size(), "the order names each record");
  if (grouped.size() >= assets * kWorthGrouping) order_ = std::move(grouped);
  return order_;
}

}  // namespace tidegate
