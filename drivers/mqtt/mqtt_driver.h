// Subscribes to one topic of one MQTT broker and acknowledges a message only after it is settled.
// Dials, and dials again for ever; each connection is an MqttLink, one at a time. Keeps what
// outlives a connection: the messages on their way through the pipeline (Intake), the learned
// window and the choice of version. Loop thread only. README.md says what is promised, and how
// libmosquitto is made to keep it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "core/backoff.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/metrics.h"
#include "drivers/driver.h"
#include "drivers/driver_notes.h"
#include "drivers/mqtt/intake.h"
#include "drivers/mqtt/mosquitto_library.h"
#include "drivers/mqtt/mqtt_journal.h"
#include "drivers/mqtt/mqtt_link.h"
#include "drivers/mqtt/mqtt_options.h"
#include "drivers/mqtt/resolver.h"
#include "drivers/mqtt/session_record.h"
#include "drivers/mqtt/version_choice.h"
#include "drivers/mqtt/window.h"

namespace tidegate {

class MqttDriver final : public Driver {
 public:
  // The references outlive the driver.
  MqttDriver(Input input, MqttOptions options, const Clock& clock, const Log& log, Metrics& metrics,
             DriverNotes& notes);
  // Disconnects; the broker keeps the session and everything that is not acknowledged.
  ~MqttDriver() override;

  Status Start(Loop& loop, Inbox& inbox) override;
  void Stop() override;
  void Settled(Ticket last) override;
  void Resume() override;
  bool Starved() const override { return link_ != nullptr && link_->Starved(); }
  DriverStatus status() const override;

 private:
  // Begins an attempt to connect, or puts it off until everything that was read is settled.
  void Dial();
  void DialLater();
  void DialWhenSafe();
  void OnAddresses(Resolver::Answer answer);
  void OpenLink(const std::string& host);
  void OnLinkEnd(const MqttLink::End& end);
  void ConnectFailed(ConnectFailure failure, const std::string& cause);
  void CloseLink();

  const Input input_;
  const MqttOptions options_;
  const Clock& clock_;
  MqttJournal journal_;
  const MosquittoLibrary library_;
  // From Start() on.
  Loop* loop_ = nullptr;

  bool stopped_ = false;
  // Dial() has been put off; DialWhenSafe() makes up for it.
  bool dial_when_safe_ = false;
  // The version of the current or the last attempt.
  MqttVersion version_ = MqttVersion::k5;
  VersionChoice version_choice_;
  Backoff backoff_;
  std::optional<Resolver> resolver_;
  // Counts the addresses that were dialled, so that each attempt uses the next one.
  size_t next_address_ = 0;
  std::unique_ptr<Timer> dial_timer_;
  std::unique_ptr<Timer> resume_timer_;

  Intake intake_;
  Window window_;
  SessionRecord session_;
  // What status() shows while no link is online: the last error.
  std::string detail_ = "not started";
  // Last, because it uses the members above. nullptr while waiting or resolving.
  std::unique_ptr<MqttLink> link_;
};

}  // namespace tidegate
