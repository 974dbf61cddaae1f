#include "agent/pipeline/tags.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/pipeline/decode.h"
#include "core/record.h"
#include "core/utf8.h"

namespace tidegate {

namespace {

template <typename... Args>
Error Refused(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorCode::kRejected, fmt::format(format, std::forward<Args>(args)...)};
}

Status CheckTenant(std::string_view tenant, const DecodeContext& context) {
  if (!IsTenantName(tenant)) {
    return Refused("tenant {} is not 1 to {} of A-Z a-z 0-9 . _ -", ShownName(tenant),
                   kMaxTenantBytes);
  }
  if (!context.tenants.empty() &&
      std::ranges::find(context.tenants, tenant) == context.tenants.end()) {
    return Refused("tenant {} is not on TIDEGATE_TENANTS", ShownName(tenant));
  }
  return {};
}

Status CheckAsset(std::string_view asset) {
  if (IsAssetName(asset)) return {};
  return Refused("asset id {} is over {} bytes or holds control characters", ShownName(asset),
                 kMaxAssetBytes);
}

// The tenant that a record cannot change; empty: none.
std::string_view PinnedTenant(const DecodeContext& context) {
  return context.topic_tenant.empty() ? context.input_tenant : context.topic_tenant;
}

}  // namespace

std::string ShownName(std::string_view name) {
  const std::string_view shown = Utf8Prefix(name, kShownNameBytes);
  return fmt::format("{:?}{}", shown, shown.size() < name.size() ? "..." : "");
}

Status CheckTags(const DecodeContext& context) {
  if (!context.topic_tenant.empty() && !context.input_tenant.empty() &&
      context.topic_tenant != context.input_tenant) {
    return Refused("the topic's tenant {} contradicts the input's tenant {}",
                   ShownName(context.topic_tenant), ShownName(context.input_tenant));
  }
  if (const std::string_view pinned = PinnedTenant(context); !pinned.empty()) {
    if (Status status = CheckTenant(pinned, context); !status.ok()) return status;
  }
  return context.topic_asset.empty() ? Status() : CheckAsset(context.topic_asset);
}

Result<std::string_view> DecideTenant(std::optional<std::string_view> own,
                                      const DecodeContext& context) {
  if (const std::string_view pinned = PinnedTenant(context); !pinned.empty()) {
    if (!own || own->empty() || *own == pinned) return pinned;
    return Refused("tenant_id {} contradicts the {} tenant {}", ShownName(*own),
                   context.topic_tenant.empty() ? "input's" : "topic's", ShownName(pinned));
  }
  const std::string_view tenant = own && !own->empty() ? *own : context.default_tenant;
  if (tenant.empty()) return Refused("no tenant in topic, payload, input or TIDEGATE_TENANT");
  if (Status status = CheckTenant(tenant, context); !status.ok()) return status.error();
  return tenant;
}

Result<std::string_view> DecideAsset(std::optional<std::string_view> own, bool is_alias,
                                     const DecodeContext& context) {
  const std::string_view topic = context.topic_asset;
  if (!topic.empty()) {
    if (!own || *own == topic || is_alias) return topic;
    return Refused("asset_id {} contradicts the topic's asset {}", ShownName(*own),
                   ShownName(topic));
  }
  const std::string_view asset = own && !own->empty() ? *own : context.input_asset;
  if (asset.empty()) {
    return Refused(
        "no asset: the payload has no asset_id, device_id, machine_id or sensor_id, and topic and "
        "input name none");
  }
  if (Status status = CheckAsset(asset); !status.ok()) return status.error();
  return asset;
}

}  // namespace tidegate
