// Ends connection attempts that get no answer early. While the link is down, a SYN is lost, and the
// kernel repeats it only after 1, 2 and 4 s. A new attempt sends one at once, so that a working
// link is noticed within a fraction of a second. Any thread.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/clock.h"

namespace tidegate {

class ConnectAttempts {
 public:
  // An attempt waits at least this long for an answer, or three times the shortest round trip of
  // the broker's last connection if that is longer. For slow links, the first attempt to a broker
  // and each 30th are patient: they have all the time that the library gives them.
  static constexpr std::chrono::milliseconds kPatience{300};
  static constexpr int kOneIsPatient = 30;

  // `fd` was passed to connect(2) for `broker`. Returns true if EndSlow() has to be called soon,
  // false if the attempt is patient.
  bool Began(int fd, const std::string& broker);
  // `fd` is about to be closed. `round_trip` is its shortest one; nullopt: it was never connected.
  void Ends(int fd, std::optional<std::chrono::microseconds> round_trip);
  // Shuts down, but never closes, the sockets whose time is over and that are not connected. The
  // time of an attempt begins with the first call that finds it. Returns when to call again, unless
  // an attempt begins earlier; nullopt: none waits.
  std::optional<BootTime> EndSlow(BootTime now);

 private:
  struct Attempt {
    std::string broker;
    // False if it is patient, connected, or shut down.
    bool watched = false;
    std::optional<BootTime> deadline;
  };
  struct Broker {
    int attempts = 0;
    std::chrono::microseconds patience = kPatience;
  };

  std::mutex mutex_;
  // The open sockets, by fd. Guarded by mutex_, as is brokers_.
  std::map<int, Attempt> sockets_;
  std::map<std::string, Broker> brokers_;
};

// Returns the shortest round trip that TCP has measured on `fd`; nullopt: it has measured none.
std::optional<std::chrono::microseconds> ShortestRoundTrip(int fd);

}  // namespace tidegate
