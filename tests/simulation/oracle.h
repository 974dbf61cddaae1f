// What must hold in a world, checked against nothing but what the good vehicles published and what
// is in Kafka and the database: one small checker for each promise. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/json/json.h"
#include "tests/simulation/fleet.h"
#include "tests/simulation/kafka_model.h"
#include "tests/simulation/plan.h"
#include "tests/support/reader/memory_projection_store.h"

namespace tidegate::simulation {

// One heartbeat or alert of the database or of Kafka.
struct Arrived {
  std::string tenant;
  std::string asset;
  int64_t number = -1;
  // What an alert says, "raised" or "cleared"; empty in a heartbeat.
  std::string status;
  std::string text;
};

// Returns the member `n` of a heartbeat or of its additional_data; -1: there is none.
int64_t NumberOf(json::Value heartbeat);

class Oracle {
 public:
  Oracle(const Plan& plan, const Fleet& fleet) : plan_(plan), fleet_(fleet) {}

  // Each checker returns what is wrong, for people; empty: nothing is.
  // Every message of a good vehicle is in the database, and is there once.
  std::vector<std::string> CheckLanded(const reader::MemoryDatabase& database) const;
  // The first copies of an asset's records are in Kafka in the order in which it sent them.
  std::vector<std::string> CheckOrder(const reader::KafkaLog& log) const;
  // Each good asset's alerts are those of a plain computation over its messages.
  std::vector<std::string> CheckAlerts(const reader::KafkaLog& log) const;
  // The registry of assets knows each good asset, and its last message.
  std::vector<std::string> CheckProjections(const reader::MemoryDatabase& database) const;

  // Every well-formed message of a bad neighbour lands, too, and once: it only waits longer.
  std::vector<std::string> CheckNeighbours(const reader::MemoryDatabase& database) const;

  std::vector<std::string> CheckAll(const reader::MemoryDatabase& database,
                                    const reader::KafkaLog& log) const;

 private:
  std::vector<std::string> ExpectedAlerts(const Vehicle& vehicle) const;

  const Plan& plan_;
  const Fleet& fleet_;
};

}  // namespace tidegate::simulation
