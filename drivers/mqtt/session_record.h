// What an input has to know of its session at the broker over restarts and changes of its
// configuration: that the session exists, and to which filters we have subscribed in it. A broker
// keeps a subscription until it is removed, whatever is configured later. Loop thread only.
//
// Invariant: no more than kMostSubscriptions are known (Add).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "drivers/driver_notes.h"

namespace tidegate {

class SessionRecord {
 public:
  // Above it the oldest are forgotten: a filter that changes with every start has to end somewhere.
  static constexpr size_t kMostSubscriptions = 32;

  // `note` names the text in `notes`, which outlives the record. `session` names the session
  // (client id and broker), `filter` is what the input subscribes to.
  SessionRecord(std::string note, std::string session, std::string filter, DriverNotes& notes)
      : note_(std::move(note)),
        session_(std::move(session)),
        filter_(std::move(filter)),
        notes_(notes) {}

  // Reads what is noted. Called before each Begin(), because the store may have been replaced.
  // Error: it cannot be read now, and what is known already stays.
  Status Load();
  // A connection begins, and the subscription to the filter follows. `resumed`: the broker still
  // has the session. Returns true if the broker has lost a session that we had.
  bool Begin(bool resumed);
  // Filters that the broker may hold for us besides the configured one. Those of other sessions are
  // among them: the broker may be the same under another name.
  std::vector<std::string> OldFilters() const;
  // The broker has confirmed that it does not hold the filter for this session any more.
  void Removed(const std::string& filter);
  // Notes what is known, if that differs from what is noted.
  Status Save();

 private:
  struct Subscription {
    std::string session;
    std::string filter;
    friend bool operator==(const Subscription&, const Subscription&) = default;
  };

  void Add(Subscription subscription);
  void Parse(std::string_view text);
  std::string Text() const;

  const std::string note_;
  const std::string session_;
  const std::string filter_;
  DriverNotes& notes_;
  // The oldest first.
  std::vector<Subscription> known_;
  // The text that is noted at present.
  std::string noted_;
};

}  // namespace tidegate
