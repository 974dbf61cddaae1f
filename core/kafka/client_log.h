// Brings the library's log lines into ours: levels translated, a repeated event at most once a
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
  // `name` begins each line.
  ClientLog(const Log& log, const Clock& clock, std::string name);

  // The client that is made of it brings its lines here; this becomes its opaque and must outlive
  // it.
  void Attach(rd_kafka_conf_s* conf);

  // `severity` as in syslog(3). `facility` is the library's name of the event, such as FAIL or
  // CONFWARN; the limit counts by it.
  void OnLine(int severity, std::string_view facility, std::string_view text);

 private:
  const Log& log_;
  const Clock& clock_;
  std::string name_;
  std::map<std::string, LogLimit, std::less<>> limits_;
};

}  // namespace tidegate::kafka
