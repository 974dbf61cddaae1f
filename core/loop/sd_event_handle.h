// Owners for sd-event's objects. Private to agent/.
#pragma once

#include <systemd/sd-event.h>

#include <memory>

namespace tidegate {

struct EventDeleter {
  void operator()(sd_event* event) const { sd_event_unref(event); }
};
using EventHandle = std::unique_ptr<sd_event, EventDeleter>;

// Switches the source off first: sd-event keeps a source alive while it is dispatched, and a
// callback into a destroyed owner must not follow.
struct EventSourceDeleter {
  void operator()(sd_event_source* source) const { sd_event_source_disable_unref(source); }
};
using EventSourceHandle = std::unique_ptr<sd_event_source, EventSourceDeleter>;

}  // namespace tidegate
