#include "drivers/mqtt/mosquitto_library.h"

#include <csignal>

#include "drivers/mqtt/mosquitto_handle.h"

namespace tidegate {

MosquittoLibrary::MosquittoLibrary() {
  mosquitto_lib_init();
  struct sigaction current = {};
  if (sigaction(SIGPIPE, nullptr, &current) == 0 && current.sa_handler == SIG_DFL) {
    std::signal(SIGPIPE, SIG_IGN);
  }
}

MosquittoLibrary::~MosquittoLibrary() {
  mosquitto_lib_cleanup();
}

}  // namespace tidegate
