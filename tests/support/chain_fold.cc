#include "tests/support/chain_fold.h"

#include <functional>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace tidegate {
namespace {

template <typename T>
T ValueOf(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

}  // namespace

void ChainFold::Add(RecordClass record_class, std::span<const Record> records) {
  if (record_class < RecordClass::kHeartbeat) return;
  auto& [hash, count] = chains_[static_cast<size_t>(record_class)];
  for (const Record& record : records) {
    hash = hash * 1'099'511'628'211u + std::hash<std::string>()(record.value);
    ++count;
  }
}

std::optional<std::string> ChainFold::Save() const {
  std::ostringstream out;
  for (const Chain& chain : chains_) out << chain.hash << ' ' << chain.records << ' ';
  return out.str();
}

ChainFold ChainFold::Restore(Store& store) {
  ChainFold fold;
  const auto snapshot = ValueOf(store.LoadSnapshot());
  if (snapshot) {
    std::istringstream in(snapshot->body);
    for (Chain& chain : fold.chains_) in >> chain.hash >> chain.records;
  }
  const Seq through = snapshot ? snapshot->through : 0;
  for (const auto record_class : {RecordClass::kHeartbeat, RecordClass::kReading}) {
    Seq after = through;
    while (const auto batch = ValueOf(store.Replay(record_class, after))) {
      fold.Add(record_class, batch->records);
      after = batch->first_seq;
    }
  }
  return fold;
}

std::ostream& operator<<(std::ostream& out, const ChainFold& fold) {
  return out << *fold.Save();
}

}  // namespace tidegate
