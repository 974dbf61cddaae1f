// Writes librdkafka's log lines to our log: with our levels, and a repeated event at most once a
// minute. One thread: the one that serves the client's log queue (log.queue=true).
#pragma once

#include <map>
#include <string>

#include "core/clock.h"
#include "core/log.h"

struct rd_kafka_conf_s;

namespace tidegate::kafka {

class ClientLog {
 public:
  // `name` begins each line. `log` and `clock` outlive this object.
  ClientLog(const Log& log, const Clock& clock, std::string name);

  // The client that is made from `conf` writes its lines here. This object becomes the client's
  // opaque pointer, and outlives it.
  void Attach(rd_kafka_conf_s* conf);

  // Writes one line. `severity` is as in syslog(3). `facility` is the library's name of the event,
  // such as FAIL or CONFWARN; lines with the same one are the repeated event.
  void OnLine(int severity, std::string_view facility, std::string_view text);

 private:
  const Log& log_;
  const Clock& clock_;
  std::string name_;
  std::map<std::string, LogLimit, std::less<>> limits_;
};

}  // namespace tidegate::kafka
