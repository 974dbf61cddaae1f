// The open connections of a server, and since when each keeps it waiting. Decides which ones end:
// those whose client takes too long, and, where there are too many, one of the peer that has the
// most. Private to this folder. Pure bookkeeping: the server owns the sockets. One thread.
//
// Invariant: of_peer_ counts the connections of each peer that are not ending (checked in Add(),
// End() and Remove()).
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/clock.h"

namespace tidegate::http {

class ConnectionTable {
 public:
  struct Options {
    // One more makes Surplus() return one.
    size_t most = 32;
    // How long a client may take for a request, and for the answer.
    std::chrono::milliseconds receive_within{10'000};
    std::chrono::milliseconds send_within{30'000};
  };
  enum class Phase {
    // Waits for a request, or for the rest of one.
    kReceiving,
    // The request waits for our answer: the client is not to blame.
    kAnswering,
    // The client reads the answer.
    kSending,
  };
  struct Connection {
    int fd = -1;
    // PeerNetwork() of the client.
    std::string peer;
    Phase phase = Phase::kReceiving;
    // When the phase began.
    BootTime since{};
    // Its socket was shut down; Remove() follows.
    bool ending = false;
    std::list<Connection>::iterator self = {};
  };

  explicit ConnectionTable(Options options) : options_(options) {}

  // The connection lives until Remove().
  Connection& Add(int fd, std::string peer, BootTime now);
  void Remove(Connection& connection);
  // Begins a phase.
  static void Enter(Connection& connection, Phase phase, BootTime now) {
    connection.phase = phase;
    connection.since = now;
  }
  // Notes that the server has shut the socket down. REQUIRES: not ending.
  void End(Connection& connection);

  // Returns the connections whose client has taken too long.
  std::vector<Connection*> Overdue(BootTime now);
  // Returns the one that must end to make room: of the peers' that have the most connections, the
  // one that has kept the server waiting longest. nullptr: there is room, or all wait for answers.
  Connection* Surplus();

  bool empty() const { return connections_.empty(); }

 private:
  void Discount(const Connection& connection);

  const Options options_;
  std::list<Connection> connections_;
  std::unordered_map<std::string, size_t> of_peer_;
  size_t ending_ = 0;
};

}  // namespace tidegate::http
