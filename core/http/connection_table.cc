#include "core/http/connection_table.h"

#include <utility>

#include "core/check.h"

namespace tidegate::http {

ConnectionTable::Connection& ConnectionTable::Add(int fd, std::string peer, BootTime now) {
  ++of_peer_[peer];
  Connection& connection =
      connections_.emplace_front(Connection{.fd = fd, .peer = std::move(peer), .since = now});
  connection.self = connections_.begin();
  return connection;
}

void ConnectionTable::Discount(const Connection& connection) {
  const auto count = of_peer_.find(connection.peer);
  CHECK(count != of_peer_.end() && count->second > 0, "each connection is counted for its peer");
  if (--count->second == 0) of_peer_.erase(count);
}

void ConnectionTable::Remove(Connection& connection) {
  if (connection.ending) {
    CHECK(ending_ > 0, "a connection that is ending is counted");
    --ending_;
  } else {
    Discount(connection);
  }
  connections_.erase(connection.self);
}

void ConnectionTable::End(Connection& connection) {
  CHECK(!connection.ending, "a connection ends once");
  connection.ending = true;
  ++ending_;
  Discount(connection);
}

std::vector<ConnectionTable::Connection*> ConnectionTable::Overdue(BootTime now) {
  std::vector<Connection*> overdue;
  for (Connection& connection : connections_) {
    if (connection.ending || connection.phase == Phase::kAnswering) continue;
    const auto limit =
        connection.phase == Phase::kReceiving ? options_.receive_within : options_.send_within;
    if (now - connection.since >= limit) overdue.push_back(&connection);
  }
  return overdue;
}

ConnectionTable::Connection* ConnectionTable::Surplus() {
  if (connections_.size() - ending_ <= options_.most) return nullptr;
  Connection* surplus = nullptr;
  size_t most = 0;
  for (Connection& connection : connections_) {
    if (connection.ending || connection.phase == Phase::kAnswering) continue;
    const size_t count = of_peer_.at(connection.peer);
    if (surplus != nullptr &&
        (count < most || (count == most && connection.since >= surplus->since)))
      continue;
    surplus = &connection;
    most = count;
  }
  return surplus;
}

}  // namespace tidegate::http
