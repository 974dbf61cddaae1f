#include "tests/simulation/fleet.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/time_format.h"

namespace tidegate::simulation {

namespace {

constexpr auto kAhead = std::chrono::hours(5);
constexpr auto kLate = std::chrono::hours(24 * 365 * 8);

std::string Repeat(std::string_view text, size_t count) {
  std::string repeated;
  repeated.reserve(text.size() * count);
  for (size_t i = 0; i < count; ++i) repeated += text;
  return repeated;
}

std::string ManyMembers(int64_t number) {
  std::string members;
  for (int i = 0; i < 2'000; ++i) members += fmt::format(",\"m{}\":1", i);
  return fmt::format("{{\"n\":{}{}{}}}", number, members, members);
}

}  // namespace

Fleet::Fleet(const Plan& plan, uint64_t seed) : plan_(plan), random_(seed) {
  for (size_t i = 0; i < plan.vehicles; ++i) {
    Vehicle vehicle;
    vehicle.tenant = i % 2 == 0 ? "acme" : "globex";
    vehicle.asset = fmt::format("truck-{}", i);
    vehicle.dated = i % 3 != 2;
    vehicle.named = i % 3 == 1;
    vehicles_.push_back(std::move(vehicle));
  }
}

bool Fleet::done() const {
  return std::ranges::all_of(vehicles_, [this](const Vehicle& vehicle) {
    return static_cast<int64_t>(vehicle.published.size()) >= plan_.messages;
  });
}

void Fleet::Turn(Broker& broker, WallTime now, BootTime at) {
  for (Vehicle& vehicle : vehicles_) {
    const bool more = static_cast<int64_t>(vehicle.published.size()) < plan_.messages;
    if (more && random_.Chance(plan_.publish_rate)) PublishGood(broker, vehicle, now, at);
  }
  for (Neighbour neighbour : plan_.neighbours) {
    // Messages that cost much come seldom.
    const bool large = neighbour == Neighbour::kManyElements ||
                       neighbour == Neighbour::kManyMembers || neighbour == Neighbour::kHuge;
    const unsigned rate = large ? plan_.publish_rate / 20 + 1 : plan_.publish_rate;
    const uint64_t times = neighbour == Neighbour::kFlood ? 8 : 1;
    for (uint64_t i = 0; i < times; ++i)
      if (!done() && random_.Chance(rate)) PublishBad(broker, neighbour, now);
  }
}

void Fleet::PublishGood(Broker& broker, Vehicle& vehicle, WallTime now, BootTime at) {
  const auto number = static_cast<int64_t>(vehicle.published.size());
  const double before = number == 0 ? 40 : vehicle.published.back().temperature;
  const double temperature = random_.Chance(150) ? 95 - before : before;  // 40 or 55.
  vehicle.published.push_back({number, temperature, at});
  // Each of a vehicle's messages has a time of its own.
  const WallTime time = now + std::chrono::milliseconds(number);
  std::string payload = fmt::format("{{\"n\":{},\"temperature_c\":{}", number, temperature);
  if (vehicle.dated) payload += fmt::format(",\"timestamp\":\"{}\"", FormatTime(time));
  if (vehicle.named) payload += fmt::format(",\"event_id\":\"evt-{}\"", number);
  broker.Publish({.topic = fmt::format("fleet/{}/{}", vehicle.tenant, vehicle.asset),
                  .tenant = vehicle.tenant,
                  .asset = vehicle.asset,
                  .payload = payload + "}"});
}

void Fleet::PublishBad(Broker& broker, Neighbour neighbour, WallTime now) {
  std::string tenant = kBadTenant;
  if (neighbour == Neighbour::kAbsentTopic) tenant = "absent";
  if (neighbour == Neighbour::kStranger) tenant = "stranger";
  const std::string asset = NeighbourName(neighbour);
  broker.Publish({.topic = fmt::format("fleet/{}/{}", tenant, asset),
                  .tenant = tenant,
                  .asset = asset,
                  .payload = BadPayload(neighbour, now)});
}

std::string Fleet::BadPayload(Neighbour neighbour, WallTime now) {
  const int64_t number = bad_numbers_[neighbour]++;
  const std::string n = fmt::format("{{\"n\":{}", number);
  switch (neighbour) {
    case Neighbour::kClockAhead:
      return n + fmt::format(",\"timestamp\":\"{}\"}}", FormatTime(now + kAhead));
    case Neighbour::kClockLate:
      return n + fmt::format(",\"timestamp\":\"{}\"}}", FormatTime(now - kLate));
    case Neighbour::kHuge:
      return n + ",\"text\":\"" + std::string(40'000, 'x') + "\"}";
    case Neighbour::kDeep:
      return n + ",\"deep\":" + Repeat("[", 5'000) + Repeat("]", 5'000) + "}";
    case Neighbour::kMalformed:
      return n + ",\"text\":\"\xff\xfe";
    case Neighbour::kManyMembers:
      return ManyMembers(number);
    case Neighbour::kManyElements:
      return "[" + Repeat("{},", 3'000) + n + "}]";
    case Neighbour::kForgedIds:
      return n +
             fmt::format(",\"event_id\":\"acme/truck-0/{}\",\"asset_id\":\"truck-0\"}}", number);
    case Neighbour::kOtherTenant:
      return n + ",\"tenant_id\":\"acme\"}";
    case Neighbour::kFlood:
    case Neighbour::kAbsentTopic:
    case Neighbour::kStranger:
    case Neighbour::kDeadDatabase:
    case Neighbour::kSlowPartition:
      return n + "}";
  }
  return n;
}

}  // namespace tidegate::simulation
