#include "tests/support/mosquitto_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "core/unique_fd.h"

namespace tidegate {
namespace {

constexpr char kBinary[] = "/usr/sbin/mosquitto";
constexpr std::chrono::seconds kStartLimit{10};

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

uint16_t FreePort() {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  const bool bound = ::bind(fd.get(), any, size) == 0 && ::getsockname(fd.get(), any, &size) == 0;
  return bound ? ntohs(address.sin_port) : uint16_t{0};
}

bool Listening(uint16_t port) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(port);
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

pid_t Spawn(std::vector<std::string> words, const std::string& log) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  constexpr int kLogFlags = O_WRONLY | O_CREAT | O_APPEND;
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), kLogFlags, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? pid : -1;
}

bool Succeeds(std::vector<std::string> words, const std::string& log) {
  const pid_t pid = Spawn(std::move(words), log);
  int status = -1;
  return pid > 0 && ::waitpid(pid, &status, 0) == pid && status == 0;
}

}  // namespace

bool MosquittoProcess::Installed() {
  return ::access(kBinary, X_OK) == 0;
}

std::unique_ptr<MosquittoProcess> MosquittoProcess::Start(const Settings& settings,
                                                          std::string& problem) {
  std::unique_ptr<MosquittoProcess> process(new MosquittoProcess);
  std::string folder = (std::filesystem::temp_directory_path() / "tidegate-mosquitto-XXXXXX");
  if (::mkdtemp(folder.data()) == nullptr) {
    problem = "no temporary folder";
    return nullptr;
  }
  process->folder_ = folder;
  process->port_ = FreePort();
  if (!process->Configure(settings)) {
    problem = "no certificates: is openssl installed?";
    return nullptr;
  }
  if (!process->Launch()) {
    problem = "mosquitto does not start, see " + folder + "/log";
    return nullptr;
  }
  return process;
}

MosquittoProcess::~MosquittoProcess() {
  Stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

bool MosquittoProcess::MakeCertificates() const {
  const std::string log = folder_ + "/log";
  const auto path = [this](const char* name) { return folder_ + "/" + name; };
  std::ofstream(path("names")) << "subjectAltName=DNS:localhost\n";
  return Succeeds(
             {"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
              "/CN=test authority", "-keyout", path("ca.key"), "-out", path("ca.pem")},
             log) &&
         Succeeds({"openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server",
                   "-keyout", path("server.key"), "-out", path("server.csr")},
                  log) &&
         Succeeds({"openssl", "x509", "-req", "-in", path("server.csr"), "-CA", path("ca.pem"),
                   "-CAkey", path("ca.key"), "-CAcreateserial", "-days", "2", "-extfile",
                   path("names"), "-out", path("server.pem")},
                  log);
}

bool MosquittoProcess::Configure(const Settings& settings) const {
  std::ofstream config(folder_ + "/mosquitto.conf");
  // Started by root it would otherwise become another user, who cannot read this folder.
  config << "user root\nlistener " << port_ << " 127.0.0.1\n";
  if (!settings.username.empty()) {
    const std::string passwords = folder_ + "/passwords";
    if (!MakeCertificates() ||
        !Succeeds({"mosquitto_passwd", "-c", "-b", passwords, settings.username, settings.password},
                  folder_ + "/log")) {
      return false;
    }
    config << "allow_anonymous false\npassword_file " << passwords << "\ncafile " << ca_file()
           << "\ncertfile " << folder_ << "/server.pem\nkeyfile " << folder_ << "/server.key\n";
  } else {
    config << "allow_anonymous true\n";
  }
  if (settings.persistent) {
    config << "persistence true\npersistence_location " << folder_ << "/\n";
  }
  config << "max_queued_messages 0\nlog_dest stdout\n" << settings.more << "\n";
  return config.good();
}

bool MosquittoProcess::Launch() {
  pid_ = Spawn({kBinary, "-c", folder_ + "/mosquitto.conf"}, folder_ + "/log");
  const auto limit = std::chrono::steady_clock::now() + kStartLimit;
  while (pid_ > 0 && std::chrono::steady_clock::now() < limit) {
    if (Listening(port_)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

void MosquittoProcess::Stop() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

bool MosquittoProcess::StartAgain() {
  return Launch();
}

}  // namespace tidegate
