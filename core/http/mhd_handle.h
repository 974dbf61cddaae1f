// Owners of libmicrohttpd's objects. Private to this folder.
#pragma once

#include <microhttpd.h>

#include <memory>

namespace tidegate::http {

struct MhdDaemonStop {
  void operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }
};
using MhdDaemonHandle = std::unique_ptr<MHD_Daemon, MhdDaemonStop>;

struct MhdResponseDestroy {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};
using MhdResponseHandle = std::unique_ptr<MHD_Response, MhdResponseDestroy>;

}  // namespace tidegate::http
