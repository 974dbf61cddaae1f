// Ends clients of librdkafka on threads of their own, because rd_kafka_destroy() joins the
// library's threads, one of which may be inside getaddrinfo() for half a minute. The loop never
// waits for one, except at the end of the program. Loop thread only.
#pragma once

#include <cstddef>
#include <memory>

#include "core/kafka/kafka_handle.h"
#include "uplink/link_state.h"

namespace tidegate {

class ClientEnds {
 public:
  ClientEnds();
  // Waits up to 250 ms in all; a client that takes longer ends by itself later.
  ~ClientEnds();
  ClientEnds(const ClientEnds&) = delete;
  ClientEnds& operator=(const ClientEnds&) = delete;

  // Returns at once. `link` is kept alive until the client's last thread has ended.
  void End(kafka::ClientHandle client, std::shared_ptr<LinkState> link);
  // Clients that have not ended yet. Each has threads and memory, so the caller bounds it.
  size_t pending() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tidegate
