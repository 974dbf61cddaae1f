// Connection attempts that get no answer are ended early. While a link is away, a SYN goes nowhere
// and the kernel repeats it after 1, 2 and 4 s only; a new attempt sends one at once, so that a
// link that is back is noticed within a fraction of a second. Any thread.
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
  // A link may be slow: so long is waited for an answer at least, thrice the shortest round trip of
  // the broker's last connection if that is more, and the first attempt and each 30th of a broker
  // have all the time the library gives them.
  static constexpr std::chrono::milliseconds kPatience{300};
  static constexpr int kOneIsPatient = 30;

  // After connect(2) of `fd`, which is `broker`'s. Returns whether EndSlow() has to know when.
  bool Began(int fd, const std::string& broker);
  // Before `fd` is closed. `round_trip`: the shortest that was seen, if it was ever connected.
  void Ends(int fd, std::optional<std::chrono::microseconds> round_trip);
  // Shuts down (never closes) what has had its time and is not connected. An attempt's time begins
  // with the first call that finds it. Returns when to call again, if nothing begins before that.
  std::optional<BootTime> EndSlow(BootTime now);

 private:
  struct Attempt {
    std::string broker;
    bool watched = false;  // False: it is patient, connected or shut down.
    std::optional<BootTime> deadline;
  };
  struct Broker {
    int attempts = 0;
    std::chrono::microseconds patience = kPatience;
  };

  std::mutex mutex_;
  std::map<int, Attempt> sockets_;  // Open ones, by fd. Guarded by mutex_, as is brokers_.
  std::map<std::string, Broker> brokers_;
};

// The shortest round trip TCP has measured on `fd`; nullopt: none.
std::optional<std::chrono::microseconds> ShortestRoundTrip(int fd);

}  // namespace tidegate
