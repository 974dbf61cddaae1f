// A real mosquitto on a free port of 127.0.0.1, in a folder of its own that goes with it, for tests
// that are skipped where it is not installed. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

namespace tidegate {

class MosquittoProcess {
 public:
  struct Settings {
    // Asks for this user and password, with TLS, if not empty. Needs `openssl`, makes certificates.
    std::string username;
    std::string password;
    // Keeps sessions over a restart.
    bool persistent = false;
    std::string more;  // Further lines of its configuration.
  };

  static bool Installed();

  // nullptr, with the reason in `problem`, if it does not come up.
  static std::unique_ptr<MosquittoProcess> Start(const Settings& settings, std::string& problem);
  ~MosquittoProcess();

  uint16_t port() const { return port_; }
  std::string ca_file() const { return folder_ + "/ca.pem"; }

  // SIGTERM, and waits for its end.
  void Stop();
  // On the same port again. False if it does not come up.
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
