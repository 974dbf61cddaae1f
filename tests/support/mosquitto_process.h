// A real mosquitto on a free port of 127.0.0.1, in a temporary folder that is removed with it, for
// tests that are skipped where it is not installed. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

namespace tidegate {

class MosquittoProcess {
 public:
  struct Settings {
    // If not empty: requires this user and password, over TLS. Needs `openssl` to make
    // certificates.
    std::string username;
    std::string password;
    // Keeps sessions over a restart.
    bool persistent = false;
    std::string more;  // Further lines of its configuration.
  };

  static bool Installed();

  // Returns nullptr, with the reason in `problem`, if the broker does not start.
  static std::unique_ptr<MosquittoProcess> Start(const Settings& settings, std::string& problem);
  ~MosquittoProcess();

  uint16_t port() const { return port_; }
  std::string ca_file() const { return folder_ + "/ca.pem"; }
  // The broker's own certificate, which does for a client as well.
  std::string cert_file() const { return folder_ + "/server.pem"; }
  std::string key_file() const { return folder_ + "/server.key"; }

  // Sends SIGTERM and waits for the end.
  void Stop();
  // Starts again on the same port. False if the broker does not start.
  bool StartAgain();

 private:
  MosquittoProcess() = default;
  bool MakeCertificates() const;
  bool Configure(const Settings& settings) const;
  bool Launch();

  std::string folder_;
  uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace tidegate
