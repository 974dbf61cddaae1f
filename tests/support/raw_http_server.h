// An HTTP server on a thread of its own that answers with exactly the bytes of a script, valid HTTP
// or not, and records the requested paths. For tests of HTTP clients. The public functions may be
// called from any thread; the script runs on the server's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace tidegate {

class RawHttpServer {
 public:
  // Returns the whole reply to a request for the path, after which the server ends the connection;
  // nullopt: the server does not answer and waits until the client closes the connection.
  using Script = std::function<std::optional<std::string>(std::string_view path)>;

  // Starts to listen on a free port of 127.0.0.1.
  explicit RawHttpServer(Script script);
  // Closes all connections and joins the thread.
  ~RawHttpServer();

  std::string Url(std::string_view path) const;
  // Returns the paths of all requests so far, in the order of their arrival.
  std::vector<std::string> paths() const;

  // Makes a well-formed reply. Each of `headers` ends with CR LF.
  static std::string Reply(std::string_view status, std::string_view body,
                           std::string_view headers = "");

 private:
  void Run();

  Script script_;
  int listener_ = -1;
  // An eventfd that ends Run().
  int stop_ = -1;
  uint16_t port_ = 0;
  // Guards paths_.
  mutable std::mutex mutex_;
  std::vector<std::string> paths_;
  std::thread thread_;
};

}  // namespace tidegate
