#include "reader/project/rebuild/kafka_group.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <utility>

#include "core/kafka/client_log.h"
#include "core/kafka/error_kind.h"
#include "core/kafka/kafka_handle.h"
#include "reader/consume/kafka_consumer.h"

namespace tidegate::reader {

namespace {
struct GroupListDeleter {
  void operator()(const rd_kafka_group_list* list) const { rd_kafka_group_list_destroy(list); }
};
using GroupListHandle = std::unique_ptr<const rd_kafka_group_list, GroupListDeleter>;

// Returns the value in effect, wherever it was set.
std::string GroupOf(rd_kafka_t* client) {
  std::array<char, 512> name{};
  size_t size = name.size();
  rd_kafka_conf_get(rd_kafka_conf(client), "group.id", name.data(), &size);
  return name.data();
}
}  // namespace

Result<std::vector<std::string>> MembersOfGroup(const kafka::ConfigRequest& request,
                                                std::chrono::milliseconds patience,
                                                const Clock& clock, const Log& log) {
  kafka::ClientLog client_log(log, clock, "group");
  Result<kafka::ConfHandle> conf = kafka::MakeConf(request);
  if (!conf.ok()) return conf.error();
  client_log.Attach(conf->get());
  const auto client = StartConsumer(std::move(conf).value());
  if (!client.ok()) return client.error();
  const std::string name = GroupOf(client->get());
  const rd_kafka_group_list* raw = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_list_groups(client->get(), name.c_str(), &raw, static_cast<int>(patience.count()));
  const GroupListHandle list(raw);
  // An answer that is incomplete may lack this group.
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Error{ErrorCode::kUnavailable, fmt::format("ask for the members of the group {}: {}",
                                                      name, kafka::DescribeError(error))};
  }
  std::vector<std::string> members;
  for (int i = 0; i < list->group_cnt; ++i) {
    const rd_kafka_group_info& group = list->groups[i];
    for (int k = 0; k < group.member_cnt; ++k)
      members.push_back(
          fmt::format("{}{}", group.members[k].client_id, group.members[k].client_host));
  }
  return members;
}

}  // namespace tidegate::reader
