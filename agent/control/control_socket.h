// The Unix socket that `tidegate-agent status` and `tail --follow` talk to. A client sends one
// line: "status", answered by one line of JSON, or "tail" or "tail <kind>", answered by one line of
// JSON for each record as it is stored, until the client goes. Loop thread only. A client that does
// not read is dropped rather than waited for.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "core/log.h"
#include "core/loop/loop.h"
#include "core/record.h"
#include "core/result.h"

namespace tidegate {

class ControlSocket {
 public:
  using StatusSource = std::function<std::string()>;

  // kInvalid: the path cannot be a socket. kUnavailable: another agent listens there, or the folder
  // is not writable.
  static Result<std::unique_ptr<ControlSocket>> Listen(const std::string& path, Loop& loop,
                                                       const Log& log, StatusSource status);
  ~ControlSocket();

  bool HasFollowers() const;
  // To every follower of that class. `line` is without its newline.
  void Publish(RecordClass record_class, const std::string& line);

 private:
  class Client;

  ControlSocket(std::string path, int fd, Loop& loop, const Log& log, StatusSource status);
  void Accept();
  void Sweep();

  std::string path_;
  int fd_;
  Loop& loop_;
  const Log& log_;
  StatusSource status_;
  std::list<std::unique_ptr<Client>> clients_;
  std::unique_ptr<TurnEnd> sweep_;
  std::unique_ptr<FdWatch> watch_;
};

// The client's side: sends one request and hands over each line of the answer until the agent
// closes or `on_line` returns false. Blocks. kUnavailable: nobody listens there.
Status AskControlSocket(const std::string& path, const std::string& request,
                        const std::function<bool(std::string_view)>& on_line);

}  // namespace tidegate
