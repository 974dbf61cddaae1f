#include "core/http/peer.h"

#include <gtest/gtest.h>

namespace tidegate::http {
namespace {

TEST(Peer, OnlyAddressesOfThisMachineAreLoopback) {
  for (const char* address : {"127.0.0.1", "127.3.2.1", "::1", "0:0:0:0:0:0:0:1"})
    EXPECT_TRUE(IsLoopback(address)) << address;
  for (const char* address :
       {"", "0.0.0.0", "::", "10.0.0.1", "localhost", "128.0.0.1", "127.evil.example",
        "127.0.0.1.evil.example", "127.", "::11", "::1%lo"})
    EXPECT_FALSE(IsLoopback(address)) << address;
}

TEST(Peer, AHostHeaderNamesThisMachineByAddressOrAsLocalhost) {
  for (const char* host :
       {"", "localhost", "localhost:8002", "127.0.0.1", "127.0.0.1:8002", "[::1]", "[::1]:8002"})
    EXPECT_TRUE(IsLoopbackHost(host)) << host;
  for (const char* host : {"127.evil.example", "127.evil.example:8002", "127.0.0.1.evil.example",
                           "localhost.evil.example", "evil.example", "localhost@evil.example",
                           "127.0.0.1:80@evil.example", "::1", "[::1", "[::1]x", "[::1]:x",
                           "[127.0.0.1]", "127.0.0.1:80:80", "10.0.0.1", "0x7f.0.0.1", "127.1"})
    EXPECT_FALSE(IsLoopbackHost(host)) << host;
}

TEST(Peer, AllAddressesOfAnIpv6NetworkAreOnePeer) {
  EXPECT_EQ(PeerNetwork("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(PeerNetwork("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(PeerNetwork("2001:db8:1:2::1"), "2001:db8:1:2::/64");
  EXPECT_NE(PeerNetwork("2001:db8:1:3::1"), "2001:db8:1:2::/64");
  EXPECT_EQ(PeerNetwork(""), "");
}

}  // namespace
}  // namespace tidegate::http
