// Owners for sd-event's objects, for core/loop and the programs that run an event.
#pragma once

#include <systemd/sd-event.h>

#include <memory>

namespace tidegate {

struct EventDeleter {
  void operator()(sd_event* event) const { sd_event_unref(event); }
};
using EventHandle = std::unique_ptr<sd_event, EventDeleter>;

// Disables the source before it drops the reference: sd-event keeps a source alive while it is
// dispatched, and no callback may reach an owner that is destroyed.
struct EventSourceDeleter {
  void operator()(sd_event_source* source) const { sd_event_source_disable_unref(source); }
};
using EventSourceHandle = std::unique_ptr<sd_event_source, EventSourceDeleter>;

}  // namespace tidegate
