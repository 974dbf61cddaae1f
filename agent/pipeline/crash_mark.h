// Remembers in a small file which message is being decoded or committed, so that the next process
// knows what the previous one was at when it ended. A message that has ended the process twice is
// set aside instead of being tried a third time. Written through the page cache, never synced: it
// outlives the process, and what another boot left is ignored, because a power cut is no message's
// fault. Layout: agent/README.md. Loop thread only.
//
// The file is mapped, so that a message costs a few instructions. Storing to a page of a file that
// cannot be written any more ends the process (SIGBUS), so each burst of messages and each commit
// begins with a pwrite(2), which returns an error instead; then the mark is off.
//
// A process may also be ended by others, at any moment. So a message is blamed only for an end
// while it alone was decoded. A commit holds many messages and mostly waits for the disk: only
// after kCommitDeaths ends in a row are messages committed one by one, and then blamed.
//
// Known loss: none. A message that is blamed wrongly becomes a dead letter, with all its bytes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/log.h"
#include "core/unique_fd.h"
#include "drivers/driver.h"

namespace tidegate {

class CrashMark {
 public:
  // Ends of the process for which one message is set aside.
  static constexpr uint32_t kMessageDeaths = 2;
  // Ends during commits, without a commit between them, after which messages are committed alone.
  static constexpr uint32_t kCommitDeaths = 8;
  // Messages that are then committed alone before commits hold several again: more than a commit
  // usually holds.
  static constexpr uint32_t kAlone = 2000;
  // Blamed messages that are remembered.
  static constexpr size_t kSuspects = 16;

  // Reads what the previous process left, and logs whom it blames. With an empty path, or a file
  // that cannot be written, nothing is remembered. `log` outlives the mark.
  CrashMark(const std::string& path, const std::string& boot_id, const Log& log);
  CrashMark(const CrashMark&) = delete;
  CrashMark& operator=(const CrashMark&) = delete;

  // Returns a hash of what the message is and where it comes from.
  static uint64_t Identify(std::string_view input, const Message& message);

  // The message is decoded from now on, until EndDecoding(). False: it has ended the process too
  // often, so set it aside undecoded.
  bool BeginDecoding(uint64_t message);
  // It has not ended the process this time, so earlier ends were no fault of its decoding.
  void EndDecoding();
  // The messages that follow are another burst: called at the end of a turn of the loop.
  void EndBurst() { writable_ = false; }
  // Everything that was decoded since the last commit is committed from now on, until the next
  // call.
  void BeginCommit();
  // `stored`: everything is durable, so that nobody is to blame any more.
  void EndCommit(bool stored);
  // True: commit each message alone.
  bool alone() const { return contents_.commit_deaths >= kCommitDeaths; }

 private:
  enum class Phase : uint64_t { kIdle = 0, kDecoding = 1, kCommitting = 2, kCommittingAlone = 3 };
  struct Suspect {
    uint64_t message;
    uint64_t deaths;
  };
  // The file, in the byte order of the machine that wrote it in this boot.
  struct Contents {
    std::array<char, 8> magic;
    std::array<char, 32> boot_id;
    Phase phase;
    uint64_t message;
    uint64_t commit_deaths;
    std::array<Suspect, kSuspects> suspects;
  };

  bool Open(const std::string& path);
  // False: there is nothing that a process of this boot wrote.
  bool Read(Contents& previous, const Contents& empty) const;
  void Judge();
  void Blame(uint64_t message);
  bool HasSuspects() const;
  Suspect* Find(uint64_t message);
  void Enter(Phase phase);
  void Write(size_t offset, size_t bytes);

  struct Unmap {
    void operator()(Contents* mapped) const;
  };

  const Log& log_;
  UniqueFd fd_;
  // The file as memory; null: it cannot be mapped, and every change is a pwrite(2).
  std::unique_ptr<Contents, Unmap> mapped_;
  Contents contents_{};
  // Messages since the last commit, and the last of them.
  uint64_t undecided_ = 0;
  uint64_t last_message_ = 0;
  // Suspects that are part of the next commit.
  std::vector<uint64_t> accepted_suspects_;
  // Messages that this process has committed.
  uint64_t committed_ = 0;
  // A pwrite(2) of this burst has succeeded.
  bool writable_ = false;
  bool has_suspects_ = false;
  // The message that is being decoded is a suspect.
  bool on_trial_ = false;
};

}  // namespace tidegate
