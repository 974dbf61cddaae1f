// An HTTP server on a thread of its own that says exactly the bytes it is told to, whatever they
// are, and counts what it is asked.
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
  // The whole reply to a request for that path, after which the connection is closed; nullopt:
  // silence, until the other side hangs up.
  using Script = std::function<std::optional<std::string>(std::string_view path)>;

  explicit RawHttpServer(Script script);
  ~RawHttpServer();

  std::string Url(std::string_view path) const;
  std::vector<std::string> paths() const;

  static std::string Reply(std::string_view status, std::string_view body,
                           std::string_view headers = "");

 private:
  void Run();

  Script script_;
  int listener_ = -1;
  int stop_ = -1;  // An eventfd.
  uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> paths_;
  std::thread thread_;
};

}  // namespace tidegate
