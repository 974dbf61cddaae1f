// The Unix socket that `tidegate-agent status` and `tail --follow` ask. A client sends one line:
// "status", answered by one line of JSON, or "tail" or "tail <kind>", answered by one line of JSON
// for each record as it is stored, until the client disconnects. A client that has sent no line
// after some seconds is disconnected. Loop thread only. Known loss: a client that lets a megabyte
// of lines wait unread is disconnected and misses the records after.
//
// Invariants: at most 16 clients are connected (Accept() refuses more); a client's backlog is at
// most a megabyte (a CHECK in Client::Send()).
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/log.h"
#include "core/loop/loop.h"
#include "core/record.h"
#include "core/result.h"
#include "core/unique_fd.h"

namespace tidegate {

class ControlSocket {
 public:
  // Returns the answer to "status": one line of JSON without its newline.
  using StatusSource = std::function<std::string()>;

  // Listens with mode 0660 and replaces a socket that a killed agent left, but no other file.
  // `loop`, `clock`, `log` and what `status` refers to must outlive the socket. kInvalid: the path
  // is empty or too long for a socket. kUnavailable: another agent listens there, or the folder is
  // not writable.
  static Result<std::unique_ptr<ControlSocket>> Listen(const std::string& path, Loop& loop,
                                                       const Clock& clock, const Log& log,
                                                       StatusSource status);
  // Disconnects all clients and removes the socket's file.
  ~ControlSocket();

  // True if somebody would receive a record: without followers no line need be made.
  bool HasFollowers() const;
  // Sends the line to every follower of that class. REQUIRES: `line` has no newline.
  void Publish(RecordClass record_class, const std::string& line);

 private:
  class Client;

  ControlSocket(std::string path, UniqueFd fd, Loop& loop, const Clock& clock, const Log& log,
                StatusSource status);
  void Accept();
  void RestAfter(int error);
  void Sweep();

  const std::string path_;
  const UniqueFd fd_;
  Loop& loop_;
  const Clock& clock_;
  const Log& log_;
  const StatusSource status_;
  LogLimit turned_away_limit_;
  LogLimit rest_limit_;
  std::list<std::unique_ptr<Client>> clients_;
  std::unique_ptr<TurnEnd> sweep_;
  std::unique_ptr<FdWatch> watch_;
  // Watches again.
  std::unique_ptr<Timer> rest_timer_;
};

// The client's side: sends one request and passes each line of the answer, without its newline, to
// `on_line` until the agent closes the connection or `on_line` returns false. Blocks, at most as
// long as `limit`; without one, for ever. kUnavailable: nobody listens there, nobody has answered
// in time, or the connection broke.
Status AskControlSocket(const std::string& path, const std::string& request,
                        const std::function<bool(std::string_view)>& on_line,
                        std::optional<std::chrono::milliseconds> limit = std::nullopt);

}  // namespace tidegate
