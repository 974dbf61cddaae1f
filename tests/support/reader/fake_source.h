// A consumer whose group follows a script, and dead letters that are kept in a list. One thread.
#pragma once

#include <deque>
#include <map>
#include <set>
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
  // Adds a message; offsets count from 0 in each partition. nullopt is Kafka's null.
  void Push(const Partition& partition, std::optional<std::string> value,
            std::vector<std::pair<std::string, std::string>> headers = {});
  // Adds a heartbeat of acme/truck-1 that carries the event id.
  void PushHeartbeat(const Partition& partition, const std::string& event_id);
  // The next Poll() reports these three to the listener, before it returns a message.
  void Assign(std::vector<Partition> partitions) {
    events_.push_back(Assigned{std::move(partitions)});
  }
  void Revoke(std::vector<Partition> partitions, bool lost = false);
  // So many messages of the partition have not landed.
  void TellLag(const Partition& partition, int64_t messages) {
    events_.push_back(Lag{{partition, messages}});
  }
  // Kafka deletes everything before that offset, which is the least of the next message there.
  void Expire(const Partition& partition, int64_t before);
  // While hidden, no broker reports an earliest or committed offset.
  void HideEarliest(bool hidden) { earliest_hidden_ = hidden; }
  // No broker reports the end of that partition.
  void HideEnd(const Partition& partition) { ends_hidden_.insert(partition); }
  // The next message there has that offset: the ones before were marks of transactions.
  void SkipTo(const Partition& partition, int64_t offset) { next_offset_[partition] = offset; }
  // The topic is made anew: the partition's log is empty.
  void BeginAnew(const Partition& partition);
  // The group has committed that position.
  void Commit(const Partition& partition, int64_t next) { stored_[partition] = next; }
  void Fail(std::string reason) { failure_ = std::move(reason); }

  void SetListener(SourceListener* listener) override { listener_ = listener; }
  Result<std::optional<SourceMessage>> Poll(std::chrono::milliseconds patience) override;
  void StoreOffsets(std::span<const Position> positions) override;
  Result<int64_t> EarliestOffset(const Partition& partition) override;
  Result<std::vector<Position>> CommittedOffsets(std::span<const Partition> partitions) override;
  Result<int64_t> EndOffset(const Partition& partition) override;
  void Pause() override { paused_ = true; }
  void Resume() override {
    paused_ = false;
    paused_partitions_.clear();
  }
  void Pause(std::span<const Partition> partitions) override;
  void Resume(std::span<const Partition> partitions) override;
  Status Seek(const Partition& partition, int64_t offset) override;
  void Close() override { closed_ = true; }

  // The offset that was stored last; -1: none was.
  int64_t stored(const Partition& partition) const;
  bool paused() const { return paused_; }
  bool paused(const Partition& partition) const { return paused_partitions_.contains(partition); }
  bool closed() const { return closed_; }
  size_t waiting() const { return messages_.size(); }
  size_t polls() const { return polls_; }
  // How often somebody has asked for the end of a partition.
  size_t ends_asked() const { return ends_asked_; }

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
  std::set<Partition> ends_hidden_;
  size_t ends_asked_ = 0;
  std::string failure_;
  bool paused_ = false;
  std::set<Partition> paused_partitions_;
  // What Poll() has returned, for Seek().
  std::vector<SourceMessage> returned_;
  bool closed_ = false;
  size_t polls_ = 0;
};

class FakeDeadLetters final : public DeadLetters {
 public:
  struct Letter {
    SourceMessage message;
    Refusal refusal;
    int64_t epoch = 0;
  };

  std::vector<Status> Publish(std::span<const DeadLetter> letters) override;

  void TakeDown() { down_ = true; }
  void Restore() { down_ = false; }
  // The topic refuses every letter for good.
  void RefuseAll() { refuses_ = true; }
  // While the topic is down, so many letters of each Publish() are published all the same.
  void LetThrough(size_t letters) { let_through_ = letters; }
  const std::vector<Letter>& letters() const { return letters_; }

 private:
  std::vector<Letter> letters_;
  bool down_ = false;
  bool refuses_ = false;
  size_t let_through_ = 0;
};

}  // namespace tidegate::reader
