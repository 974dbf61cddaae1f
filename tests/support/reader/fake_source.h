// A consumer whose group is a script, and dead letters kept in a list. One thread.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "reader/consume/dead_letters.h"
#include "reader/consume/source.h"

namespace tidegate::reader {

inline const Partition kHeartbeats0{"telematics.raw.telematics_heartbeat", 0};
inline const Partition kHeartbeats1{"telematics.raw.telematics_heartbeat", 1};

class FakeSource final : public Source {
 public:
  // Offsets count from 0 in each partition. Without a value: a null.
  void Push(const Partition& partition, std::optional<std::string> value,
            std::vector<std::pair<std::string, std::string>> headers = {});
  // A heartbeat of acme/truck-1 that carries the event id.
  void PushHeartbeat(const Partition& partition, const std::string& event_id);
  // Handed to the listener by the next Poll, before any message.
  void Assign(std::vector<Partition> partitions) {
    events_.push_back(Assigned{std::move(partitions)});
  }
  void Revoke(std::vector<Partition> partitions, bool lost = false);
  // Likewise told by the next Poll: so many messages of the partition have not landed.
  void TellLag(const Partition& partition, int64_t messages) {
    events_.push_back(Lag{{partition, messages}});
  }
  // Kafka has deleted what is before: the next message pushed there has at least that offset.
  void Expire(const Partition& partition, int64_t before);
  // From now on the earliest offset is not told, until it is set right again.
  void HideEarliest(bool hidden) { earliest_hidden_ = hidden; }
  // The next message pushed there has that offset: those before were transactions' marks.
  void SkipTo(const Partition& partition, int64_t offset) { next_offset_[partition] = offset; }
  // Where the group was when it was left.
  void Commit(const Partition& partition, int64_t next) { stored_[partition] = next; }
  void Fail(std::string reason) { failure_ = std::move(reason); }

  void SetListener(SourceListener* listener) override { listener_ = listener; }
  Result<std::optional<SourceMessage>> Poll(std::chrono::milliseconds patience) override;
  void StoreOffsets(std::span<const Position> positions) override;
  Result<int64_t> EarliestOffset(const Partition& partition) override;
  Result<std::vector<Position>> CommittedOffsets(std::span<const Partition> partitions) override;
  void Pause() override { paused_ = true; }
  void Resume() override { paused_ = false; }
  void Close() override { closed_ = true; }

  // The next offset to be consumed after a restart; -1: none was stored.
  int64_t stored(const Partition& partition) const;
  bool paused() const { return paused_; }
  bool closed() const { return closed_; }
  size_t waiting() const { return messages_.size(); }
  size_t polls() const { return polls_; }

 private:
  struct Assigned {
    std::vector<Partition> partitions;
  };
  struct Revoked {
    std::vector<Partition> partitions;
    bool lost;
  };

  struct Lag {
    PartitionLag lag;
  };

  SourceListener* listener_ = nullptr;
  std::deque<std::variant<Assigned, Revoked, Lag>> events_;
  std::deque<SourceMessage> messages_;
  std::map<Partition, int64_t> next_offset_;
  std::map<Partition, int64_t> stored_;
  std::map<Partition, int64_t> earliest_;
  bool earliest_hidden_ = false;
  std::string failure_;
  bool paused_ = false;
  bool closed_ = false;
  size_t polls_ = 0;
};

class FakeDeadLetters final : public DeadLetters {
 public:
  struct Letter {
    SourceMessage message;
    Refusal refusal;
  };

  std::vector<Status> Publish(std::span<const DeadLetter> letters) override;

  void TakeDown() { down_ = true; }
  void Restore() { down_ = false; }
  // How many letters of each Publish still get through while the topic is down.
  void LetThrough(size_t letters) { let_through_ = letters; }
  const std::vector<Letter>& letters() const { return letters_; }

 private:
  std::vector<Letter> letters_;
  bool down_ = false;
  size_t let_through_ = 0;
};

}  // namespace tidegate::reader
