// An inbox with a limited number of places, for tests of drivers.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "drivers/driver.h"

namespace tidegate {

class CollectingInbox final : public Inbox {
 public:
  bool Offer(const Message& message, Ticket ticket) override {
    EXPECT_EQ(ticket, payloads.size() + 1);
    if (payloads.size() >= places) {
      ++refused;
      return false;
    }
    payloads.emplace_back(message.payload);
    origin = message.origin;
    tenant = message.tenant;
    asset = message.asset;
    return true;
  }

  size_t places = std::numeric_limits<size_t>::max();
  size_t refused = 0;
  std::vector<std::string> payloads;
  // Of the last message.
  std::string origin;
  std::string tenant;
  std::string asset;
};

}  // namespace tidegate
