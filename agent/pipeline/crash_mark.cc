#include "agent/pipeline/crash_mark.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

#include "core/check.h"

namespace tidegate {

namespace {
constexpr std::array<char, 8> kMagic{'T', 'G', 'M', 'A', 'R', 'K', '0', '1'};
}  // namespace

CrashMark::CrashMark(const std::string& path, const std::string& boot_id, const Log& log)
    : log_(log) {
  contents_.magic = kMagic;
  std::copy_n(boot_id.begin(), std::min(boot_id.size(), contents_.boot_id.size()),
              contents_.boot_id.begin());
  if (path.empty()) return;
  if (!Open(path)) {
    log_.Warning("crash mark {}: {}; a message that ends the process will be tried again and again",
                 path, std::strerror(errno));
    return;
  }
  if (Contents previous{}; Read(previous, contents_)) {
    contents_ = previous;
    Judge();
  }
  contents_.phase = Phase::kIdle;
  Write(0, sizeof(Contents));
  if (!fd_.valid()) return;
  void* mapped =
      ::mmap(nullptr, sizeof(Contents), PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
  if (mapped != MAP_FAILED) mapped_.reset(static_cast<Contents*>(mapped));
}

bool CrashMark::Open(const std::string& path) {
  fd_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                        S_IRUSR | S_IWUSR));
  struct stat status {};
  if (fd_.valid() && ::fstat(fd_.get(), &status) == 0 && S_ISREG(status.st_mode)) return true;
  fd_ = UniqueFd();
  return false;
}

bool CrashMark::Read(Contents& previous, const Contents& empty) const {
  static_assert(std::is_trivially_copyable_v<Contents>);
  return ::pread(fd_.get(), &previous, sizeof previous, 0) ==
             static_cast<ssize_t>(sizeof previous) &&
         previous.magic == empty.magic && previous.boot_id == empty.boot_id;
}

void CrashMark::Judge() {
  has_suspects_ = HasSuspects();
  switch (contents_.phase) {
    case Phase::kIdle:
      return;
    case Phase::kDecoding:
    case Phase::kCommittingAlone:
      return Blame(contents_.message);
    case Phase::kCommitting:
      break;
  }
  contents_.commit_deaths = std::min<uint64_t>(contents_.commit_deaths, kCommitDeaths - 1) + 1;
  log_.Warning("the last process ended during a commit, {} time(s) in a row{}",
               contents_.commit_deaths, alone() ? ": messages are committed one by one" : "");
}

void CrashMark::Blame(uint64_t message) {
  Suspect* suspect = Find(message);
  if (suspect == nullptr) {
    std::shift_right(contents_.suspects.begin(), contents_.suspects.end(), 1);
    suspect = contents_.suspects.data();
    *suspect = {message, 0};
  }
  ++suspect->deaths;
  has_suspects_ = true;
  log_.Warning("the last process ended while it was at message {:016x}, {} time(s){}", message,
               suspect->deaths,
               suspect->deaths >= kMessageDeaths ? ": it goes to the dead letters" : "");
}

bool CrashMark::HasSuspects() const {
  return std::ranges::any_of(contents_.suspects,
                             [](const Suspect& suspect) { return suspect.deaths > 0; });
}

CrashMark::Suspect* CrashMark::Find(uint64_t message) {
  for (Suspect& suspect : contents_.suspects) {
    if (suspect.deaths > 0 && suspect.message == message) return &suspect;
  }
  return nullptr;
}

uint64_t CrashMark::Identify(std::string_view input, const Message& message) {
  uint64_t hash = 0;
  for (std::string_view part : {input, message.origin, message.payload})
    hash = XXH64(part.data(), part.size(), hash);
  return hash;
}

bool CrashMark::BeginDecoding(uint64_t message) {
  ++undecided_;
  last_message_ = message;
  if (const Suspect* suspect = has_suspects_ ? Find(message) : nullptr) {
    accepted_suspects_.push_back(message);
    if (suspect->deaths >= kMessageDeaths) return false;
    on_trial_ = true;
  }
  contents_.message = message;
  Enter(Phase::kDecoding);
  return true;
}

void CrashMark::EndDecoding() {
  Enter(Phase::kIdle);
  // Suspects of commits have to be stored.
  if (!std::exchange(on_trial_, false) || alone()) return;
  if (Suspect* suspect = Find(last_message_)) *suspect = {};
  has_suspects_ = HasSuspects();
  Write(0, sizeof(Contents));
}

void CrashMark::BeginCommit() {
  if (undecided_ == 0) return;
  const bool one = alone() && undecided_ == 1;
  EndBurst();
  contents_.message = last_message_;
  Enter(one ? Phase::kCommittingAlone : Phase::kCommitting);
}

void CrashMark::EndCommit(bool stored) {
  CHECK(contents_.phase != Phase::kDecoding, "nothing is decoded during a commit");
  if (undecided_ == 0) return;
  // The disk may have failed meanwhile.
  EndBurst();
  Enter(Phase::kIdle);
  EndBurst();
  if (!stored) return;
  committed_ += std::exchange(undecided_, 0);
  const bool acquitted = contents_.commit_deaths > 0 && (!alone() || committed_ >= kAlone);
  if (acquitted) contents_.commit_deaths = 0;
  if (!acquitted && accepted_suspects_.empty()) return;
  for (uint64_t message : std::exchange(accepted_suspects_, {})) {
    if (Suspect* suspect = Find(message)) *suspect = {};
  }
  has_suspects_ = HasSuspects();
  Write(0, sizeof(Contents));
}

// A burst and a commit begin by Write(), which shows whether the page can be written. The message
// is stored before the phase that needs it.
void CrashMark::Enter(Phase phase) {
  contents_.phase = phase;
  if (mapped_ == nullptr || !writable_) {
    constexpr size_t kBegin = offsetof(Contents, phase);
    Write(kBegin, offsetof(Contents, commit_deaths) - kBegin);
    writable_ = mapped_ != nullptr;
    return;
  }
  *const_cast<volatile uint64_t*>(&mapped_->message) = contents_.message;
  *const_cast<volatile Phase*>(&mapped_->phase) = phase;
}

void CrashMark::Unmap::operator()(Contents* mapped) const {
  ::munmap(mapped, sizeof(Contents));
}

// A mark that cannot be written any more is given up: the pipeline goes on without it.
void CrashMark::Write(size_t offset, size_t bytes) {
  if (!fd_.valid()) return;
  const auto* from = reinterpret_cast<const char*>(&contents_) + offset;
  if (::pwrite(fd_.get(), from, bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes))
    return;
  log_.Warning("write the crash mark: {}; it is off until the next start", std::strerror(errno));
  mapped_.reset();
  fd_ = UniqueFd();
}

}  // namespace tidegate
