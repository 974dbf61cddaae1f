// Measures what the store costs, on heartbeats of about 310 bytes from 100 vehicles, in a folder
// under $TMPDIR, which must be on the disk to be measured. Arguments name the parts to run; without
// arguments all run:
//
//   codec    bytes and time per record by zstd level and batch size, memory of the contexts
//   flash    bytes written per payload byte in steady state: by the process (write calls), as pages
//            that the kernel must write (write_bytes of /proc/self/io), and at the block device,
//            which counts all of its writers, so use a device that nothing else writes to; also the
//            time per commit. A batch is delivered `lag` batches after its append. The figures
//            include snapshots of 18 KB, deletes and checkpoints.
//   backlog  with 10,000 and 1,000,000 records, or the numbers given as arguments: bytes on disk
//            per record, time to open, memory; CPU of an append, of the next batch, and of a
//            delete, each with that backlog in the store
//   drain    CPU per record of Next and Delivered over 100,000 records
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "store/format/batch_codec.h"
#include "tests/support/store_fixture.h"

namespace tidegate {
namespace {

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double WallSeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Returns a number from a "name: number" file of /proc; 0 if the name is not in it.
double ProcValue(const char* path, std::string_view name) {
  std::ifstream file(path);
  std::string key;
  double value = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) value = std::stod(line.substr(name.size() + 1));
  }
  return value;
}

// Returns the bytes that the device of `path` has written since boot (Documentation/block/stat.rst:
// field 7, in 512-byte sectors); 0 if it cannot be read.
double DeviceBytes(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return 0;
  std::ifstream file(
      fmt::format("/sys/dev/block/{}:{}/stat", major(info.st_dev), minor(info.st_dev)));
  double value = 0;
  for (int field = 0; field < 7; ++field) file >> value;
  return value * 512;
}

double PssKilobytes() {
  return ProcValue("/proc/self/smaps_rollup", "Pss:");
}

uint64_t PayloadBytes(const std::vector<Record>& records) {
  uint64_t bytes = 0;
  for (const Record& record : records) bytes += record.value.size();
  return bytes;
}

void BenchCodec() {
  fmt::print("codec: level batch  bytes/record  encode us  decode us  contexts KiB\n");
  for (const int level : {1, 2, 3, 4, 5, 6}) {
    for (const size_t size : {1, 10, 20, 100, 500, 1000}) {
      BatchCodec codec(level);
      FleetSource fleet;
      const ClockStamp stamp{"0123", {}, {}, true};
      const size_t rounds = 20'000 / size;
      uint64_t bytes = 0;
      double encode = 0;
      double decode = 0;
      for (size_t i = 0; i < rounds; ++i) {
        const auto records = fleet.Take(size);
        const double start = WallSeconds();
        const auto body = codec.Encode({RecordClass::kHeartbeat, 1 + i * size, stamp, records});
        const double middle = WallSeconds();
        if (!body.ok() || !codec.Decode(*body).ok()) std::abort();
        decode += WallSeconds() - middle;
        encode += middle - start;
        bytes += body->size();
      }
      const auto records = static_cast<double>(rounds * size);
      fmt::print("       {:5} {:5}  {:12.1f}  {:9.2f}  {:9.2f}  {:12}\n", level, size,
                 static_cast<double>(bytes) / records, encode * 1e6 / records,
                 decode * 1e6 / records, codec.MemoryBytes() / 1024);
    }
  }
}

// Makes snapshots of the size that the pipeline makes for 100 assets: 4 KB of states and 14 KB of
// fingerprints.
class FoldState {
 public:
  std::string Next() {
    std::string body;
    for (int asset = 0; asset < 100; ++asset) {
      body += fmt::format("truck-{:04} overheat raised {:8}", asset, random_() % 100'000'000);
    }
    while (body.size() < 18'000) {
      const uint64_t fingerprint = random_();
      body.append(reinterpret_cast<const char*>(&fingerprint), sizeof fingerprint);
    }
    return body;
  }

 private:
  std::mt19937_64 random_{1};
};

void BenchFlash() {
  fmt::print("flash: batch  lag  written/payload  kernel/payload  device/payload  ms/commit\n");
  for (const size_t size : {1, 20, 100, 500}) {
    for (const size_t lag : {1, 4}) {
      SqliteStoreFixture fixture;
      SqliteStore& store = fixture.Reopen();
      FoldState state;
      store.SetSnapshotSource([&state] { return state.Next(); });
      FleetSource fleet;
      std::deque<Seq> stored;
      uint64_t payload = 0;
      double written = 0;
      double dirtied = 0;
      double device = 0;
      double start = 0;
      constexpr int kWarmUp = 600;
      constexpr int kCommits = 1000;
      for (int i = 0; i < kWarmUp + kCommits; ++i) {
        if (i == kWarmUp) {
          payload = 0;
          written = ProcValue("/proc/self/io", "wchar:");
          dirtied = ProcValue("/proc/self/io", "write_bytes:");
          device = DeviceBytes(fixture.dir.File(""));
          start = WallSeconds();
        }
        const auto records = fleet.Take(size);
        payload += PayloadBytes(records);
        while (stored.size() >= lag) {
          store.Delivered(RecordClass::kHeartbeat, stored.front());
          stored.pop_front();
        }
        stored.push_back(AppendBatch(store, records).value());
        Cursor cursor;
        cursor.last[static_cast<size_t>(RecordClass::kHeartbeat)] = stored.back() - 1;
        if (!store.Next(cursor).ok()) std::abort();
      }
      const auto bytes = static_cast<double>(payload);
      fmt::print("       {:5}  {:3}  {:15.3f}  {:14.3f}  {:14.3f}  {:9.2f}\n", size, lag,
                 (ProcValue("/proc/self/io", "wchar:") - written) / bytes,
                 (ProcValue("/proc/self/io", "write_bytes:") - dirtied) / bytes,
                 (DeviceBytes(fixture.dir.File("")) - device) / bytes,
                 (WallSeconds() - start) * 1e3 / kCommits);
    }
  }
}

void Fill(SqliteStoreFixture& fixture, size_t records, size_t batch) {
  fixture.options.max_bytes = 2ull << 30;
  fixture.options.durability = Durability::kProcessSafe;
  SqliteStore& store = fixture.Reopen();
  FleetSource fleet;
  for (size_t i = 0; i < records; i += batch) {
    if (!AppendBatch(store, fleet.Take(batch)).ok()) std::abort();
  }
}

// Returns the CPU time of a call in microseconds, as the mean of `calls` calls.
template <typename Call>
double Cost(int calls, Call&& call) {
  const double start = CpuSeconds();
  for (int i = 0; i < calls; ++i) call(i);
  return (CpuSeconds() - start) * 1e6 / calls;
}

void BenchBacklogOf(size_t records, size_t batch) {
  SqliteStoreFixture fixture;
  Fill(fixture, records, batch);
  fixture.Close();
  const double before = PssKilobytes();
  const double start = WallSeconds();
  SqliteStore& store = fixture.Reopen();
  const double open = WallSeconds() - start;
  const double more = PssKilobytes() - before;
  const double bytes = static_cast<double>(fixture.FileBytes()) / static_cast<double>(records);
  constexpr int kCalls = 400;
  const auto added = FleetSource(2).Take(batch);
  const double append = Cost(kCalls, [&](int) {
    if (!AppendBatch(store, added).ok()) std::abort();
  });
  std::vector<Seq> seqs;
  const double next = Cost(kCalls, [&](int) {
    Cursor cursor;
    cursor.last[static_cast<size_t>(RecordClass::kHeartbeat)] = seqs.empty() ? 0 : seqs.back();
    const auto found = store.Next(cursor);
    if (!found.ok() || !*found) std::abort();
    seqs.push_back((*found)->first_seq);
  });
  const double remove = Cost(kCalls, [&](int i) {
    store.Delivered(RecordClass::kHeartbeat, seqs[static_cast<size_t>(i)]);
    if (i % 100 == 99 && !store.Flush().ok()) std::abort();
  });
  fmt::print("         {:8}  {:5}  {:12.1f}  {:7.1f}  {:12}  {:9.1f}  {:7.1f}  {:9.1f}\n", records,
             batch, bytes, open * 1e3, more, append, next, remove);
}

void BenchBacklog(const std::vector<size_t>& sizes) {
  fmt::print(
      "backlog:  records  batch  bytes/record  open ms  PSS KiB more  append us  next us  delete "
      "us\n");
  for (const size_t batch : {20, 100, 500}) {
    for (const size_t records : sizes) {
      // Making more than a million records in small batches takes too long.
      if (records > 1'000'000 && batch < 500) continue;
      BenchBacklogOf(std::max(records, 400 * batch), batch);
    }
  }
}

void BenchDrain() {
  fmt::print("drain: records  batch  us/record\n");
  for (const size_t batch : {20, 100}) {
    SqliteStoreFixture fixture;
    Fill(fixture, 100'000, batch);
    SqliteStore& store = fixture.store();
    const double start = CpuSeconds();
    Cursor cursor;
    for (;;) {
      auto next = store.Next(cursor);
      if (!next.ok()) std::abort();
      if (!*next) break;
      cursor.last[static_cast<size_t>((*next)->record_class)] = (*next)->first_seq;
      store.Delivered((*next)->record_class, (*next)->first_seq);
    }
    if (!store.Flush().ok()) std::abort();
    fmt::print("       {:7}  {:5}  {:9.2f}\n", 100'000, batch, (CpuSeconds() - start) * 10);
  }
}

int Main(int argc, char** argv) {
  const std::vector<std::string_view> parts(argv + 1, argv + argc);
  const auto wanted = [&](std::string_view part) {
    return parts.empty() || std::find(parts.begin(), parts.end(), part) != parts.end();
  };
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // Writes each line at once, into a file, too.
  if (wanted("codec")) BenchCodec();
  if (wanted("flash")) BenchFlash();
  std::vector<size_t> sizes;
  for (const std::string_view part : parts) {
    if (std::isdigit(static_cast<unsigned char>(part.front())) != 0) {
      sizes.push_back(std::stoull(std::string(part)));
    }
  }
  if (sizes.empty()) sizes = {10'000, 1'000'000};
  if (wanted("backlog")) BenchBacklog(sizes);
  if (wanted("drain")) BenchDrain();
  return 0;
}

}  // namespace
}  // namespace tidegate

int main(int argc, char** argv) {
  return tidegate::Main(argc, argv);
}
