// The forwarder's access to the store: it reads batches, writes dead letters, and deletes what is
// delivered a while after the last append. Everything concerns one epoch. A damaged store is
// replaced inside any call to it, and its seqs begin anew; from then until FollowEpoch() nothing is
// read or marked as delivered, because the caller's seqs are those of the old store. Loop thread
// only.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/clock.h"
#include "core/log.h"
#include "core/loop/loop.h"
#include "store/store.h"

namespace tidegate {

class StoreAccess {
 public:
  // All references outlive this object.
  StoreAccess(Store& store, Loop& loop, const Clock& clock, const Log& log,
              std::chrono::milliseconds flush_after);

  // Returns whether the store was replaced since the last call.
  bool FollowEpoch();
  const std::string& epoch() const { return epoch_; }

  // A cursor that finds no batch; the caller lowers it for the classes that it asks for.
  static Cursor PastAll();
  static constexpr bool IsPastAll(Seq seq) { return seq == kPastAll; }
  // As Store::Next. An error has been logged, and available() is false for a second.
  Result<std::optional<Batch>> Next(const Cursor& after);
  // Writes a letter about a record that is still stored, without an fsync. A letter that the store
  // refuses for good is written without its payload; if that is refused as well, the letter is
  // lost: logged, and true, because the record must not wait for ever. False: it could not be
  // written now: logged, and available() is false for a second.
  bool Write(DeadLetter letter);
  // The batch is deleted with the next append, or by a Flush() of the store if none follows.
  void Delivered(RecordClass record_class, Seq first_seq);
  // As Store::Park().
  void Park(RecordClass record_class, Seq first_seq);
  // An append has written the pending deletes as well.
  void OnAppended();
  // `callback` is called after a write that the store may have used to add gap records of its own.
  void OnOwnWrite(std::function<void()> callback) { on_own_write_ = std::move(callback); }

  // False for a second after an error: nothing is sent then.
  bool available(BootTime now) const { return now >= retry_at_; }
  // The end of that second; in the past if the store works.
  BootTime retry_at() const { return retry_at_; }

 private:
  static constexpr Seq kPastAll = kMaxSeq;

  bool replaced() const { return store_.epoch() != epoch_; }
  void NoteFailure(const Error& error);
  void Flush();

  Store& store_;
  const Clock& clock_;
  const Log& log_;
  const std::chrono::milliseconds flush_after_;
  LogLimit limit_;
  std::string epoch_;
  BootTime retry_at_{0};
  bool deletes_pending_ = false;
  std::function<void()> on_own_write_;
  std::unique_ptr<Timer> flush_timer_;
};

}  // namespace tidegate
