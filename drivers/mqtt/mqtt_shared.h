// What all connections of one MQTT input work with. MqttDriver owns it. Loop thread only.
#pragma once

#include "core/clock.h"
#include "core/loop/loop.h"
#include "drivers/mqtt/intake.h"
#include "drivers/mqtt/mqtt_journal.h"
#include "drivers/mqtt/mqtt_options.h"
#include "drivers/mqtt/session_record.h"
#include "drivers/mqtt/window.h"

namespace tidegate {

// Outlives every link.
struct MqttShared {
  const MqttOptions& options;
  const Clock& clock;
  Loop& loop;
  MqttJournal& journal;
  Intake& intake;
  Window& window;
  SessionRecord& session;
};

}  // namespace tidegate
