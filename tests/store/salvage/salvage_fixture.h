// Shared by tests of the salvage: a store with known contents, its bytes, and what must hold after
// it was opened on other bytes.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

#include "store/file/size_budget.h"
#include "store/salvage/set_aside.h"
#include "store/salvage/store_scan.h"
#include "tests/support/fault_vfs.h"
#include "tests/support/store_fixture.h"

namespace tidegate {

inline std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}
inline void Write(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// epoch:seq as on the wire, and the value.
using Ids = std::map<std::string, std::string>;

inline std::string IdOf(const Batch& batch, size_t index, const std::string& epoch) {
  const Numbering own{epoch, batch.first_seq};
  const Numbering& numbering = batch.numbering ? *batch.numbering : own;
  return numbering.epoch + ":" + std::to_string(numbering.first_seq + index);
}

struct Reading {
  Ids records;  // Heartbeats, readings, and alerts that are not the store's own.
  std::vector<std::string> own_alerts;
  std::vector<std::string> gaps;
};

class SalvageTest : public testing::Test, public SqliteStoreFixture {
 protected:
  static constexpr int kBatches = 45;

  SalvageTest() { options.durability = Durability::kProcessSafe; }

  void FillHalf(int from, int to) {
    for (int i = from; i < to; ++i) {
      const auto record_class = kRecordClasses[static_cast<size_t>(i % 7 == 0 ? 0 : 2 + i % 2)];
      const auto count = 1 + static_cast<size_t>(i * i % 9);
      ASSERT_TRUE(AppendBatch(store(), fleet.Take(count, record_class), StampNow()).ok());
    }
  }
  // Batches of several classes, some delivered, letters, a value; all in the one file.
  void Fill() {
    Reopen();
    FillHalf(0, kBatches);
    const std::vector<Batch> all = ReadAll(store());
    for (size_t i = 0; i < all.size(); i += 6) {
      store().Delivered(all[i].record_class, all[i].first_seq);
    }
    ASSERT_TRUE(store().Flush().ok());
    const DeadLetter letter{"in", "topic", "no JSON", std::string(700, 'p'), WallTime{}};
    AppendRequest request;
    request.dead_letters = {&letter, 1};
    ASSERT_TRUE(store().Append(request).ok());
    ASSERT_TRUE(store().WriteValue("budget", "42 bytes").ok());
    stored = Read(store()).records;
    epoch = store().epoch();
    Close();
    sound = Contents(options.path);
  }
  ClockStamp StampNow() const { return {clock.boot_id, clock.since_boot, clock.now, true}; }

  // Reads as the forwarder does: a store that turns out to be damaged is read again from the start.
  static Reading Read(Store& store) {
    for (int attempt = 0;; ++attempt) {
      Reading reading;
      Cursor cursor;
      // What the last look has set aside is declared by a gap record, which comes first.
      bool again = true;
      for (;;) {
        const auto next = store.Next(cursor);
        if (!next.ok()) {
          if (attempt == 4) ADD_FAILURE() << next.error().message;
          break;
        }
        if (!*next && std::exchange(again, false)) continue;
        if (!*next) return reading;
        cursor.last[static_cast<size_t>((*next)->record_class)] = (*next)->first_seq;
        Take(reading, **next, store.epoch());
      }
      if (attempt == 4) return {};
    }
  }
  static void Take(Reading& reading, const Batch& batch, const std::string& epoch) {
    for (size_t i = 0; i < batch.records.size(); ++i) {
      const Record& record = batch.records[i];
      if (record.record_class == RecordClass::kGap) {
        reading.gaps.push_back(record.value);
      } else if (record.value.find("store-damaged") != std::string::npos) {
        reading.own_alerts.push_back(record.value);
      } else {
        EXPECT_TRUE(reading.records.emplace(IdOf(batch, i, epoch), record.value).second);
      }
    }
  }

  static bool IsTold(const std::vector<std::string>& gaps, const std::string& id) {
    static const std::regex kGap(
        R"re("epoch":"(\w+)".*"first_seq":(\d+),"last_seq":(\d+),"count":\d+,"reason":"(?:damaged|store full)")re");
    return std::ranges::any_of(gaps, [&](const std::string& gap) {
      std::smatch match;
      if (!std::regex_search(gap, match, kGap)) return false;
      const auto colon = id.find(':');
      const Seq seq = std::stoull(id.substr(colon + 1));
      const bool same = match[1] == id.substr(0, colon) || match[1] == "unknown";
      return same && seq >= std::stoull(match[2]) && seq <= std::stoull(match[3]);
    });
  }
  // After the store was opened on a damaged file: see the top. Returns how many are missing.
  size_t ExpectSalvaged(const std::string& damaged) {
    const Reading reading = Read(store());
    size_t missing = 0;
    for (const auto& [id, value] : reading.records) {
      const auto known = stored.find(id);
      if (known == stored.end()) {
        ADD_FAILURE() << id << " is invented";
      } else {
        EXPECT_EQ(known->second, value);
      }
    }
    for (const auto& [id, value] : stored) {
      if (reading.records.contains(id)) continue;
      ++missing;
      EXPECT_TRUE(IsTold(reading.gaps, id))
          << id << " is missing, and nothing tells: " << testing::PrintToString(reading.gaps)
          << testing::PrintToString(log_lines);
    }
    const bool replaced = store().epoch() != epoch;
    EXPECT_EQ(reading.own_alerts.size(), replaced ? 2u : 0u);
    const auto aside = ListSetAside(options.path);
    EXPECT_EQ(aside.size(), replaced ? 1u : 0u);
    if (replaced && !aside.empty()) {
      EXPECT_TRUE(Contents(aside.front().path) == damaged) << "the damaged file was written to";
      EXPECT_EQ(store().Usage().set_aside_files, 1u);
    }
    return missing;
  }
  // Opens the store on `damaged` and continues with it.
  size_t OpenAndExpect(const std::string& damaged) {
    Place(damaged);
    Reopen();
    const size_t missing = ExpectSalvaged(damaged);
    EXPECT_TRUE(AppendBatch(store(), fleet.Take(2), StampNow()).ok());
    Close();
    return missing;
  }
  void Place(const std::string& bytes) {
    Close();
    for (const auto& entry : std::filesystem::directory_iterator(Folder())) {
      std::filesystem::remove(entry.path());
    }
    log_lines.clear();
    Write(options.path, bytes);
  }
  std::filesystem::path Folder() const { return std::filesystem::path(options.path).parent_path(); }

  FleetSource fleet;
  Ids stored;
  std::string epoch;
  std::string sound;
};

}  // namespace tidegate
