#include "reader/database/tenancy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace tidegate::reader {
namespace {

TEST(Tenancy, PlainNamesStayReadable) {
  EXPECT_EQ(DatabaseForTenant("tidegate", "acme").name, "tidegate_acme");
  EXPECT_EQ(DatabaseForTenant("tidegate", "acme-2").name, "tidegate_acme-2");
}

TEST(Tenancy, WhatADatabaseNameCannotHoldIsEncoded) {
  EXPECT_EQ(DatabaseForTenant("tidegate", "Acme.North_1").name, "tidegate__acme_0_north__1");
}

TEST(Tenancy, NamesThatDifferInCaseOnlyGetDatabasesThatDifferInMore) {
  EXPECT_NE(DatabaseForTenant("tidegate", "ACME").name, DatabaseForTenant("tidegate", "acme").name);
  EXPECT_EQ(DatabaseForTenant("tidegate", "ACME").name, "tidegate__a_c_m_e");
}

TEST(Tenancy, ALongNameIsHashedAndSaysSo) {
  const DatabaseName one = DatabaseForTenant("tidegate", std::string(60, 'a') + "1");
  const DatabaseName two = DatabaseForTenant("tidegate", std::string(60, 'a') + "2");
  EXPECT_TRUE(one.hashed);
  EXPECT_EQ(one.name.size(), kMaxDatabaseBytes);
  EXPECT_NE(one.name, two.name);
  EXPECT_FALSE(DatabaseForTenant("tidegate", std::string(54, 'a')).hashed);
}

TEST(Tenancy, DifferentTenantsNeverShareADatabase) {
  const std::string_view alphabet = "aA._-0";
  std::map<std::string, std::string> seen;
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string tenant = "x";
    const size_t length = random() % 12;
    for (size_t j = 0; j < length; ++j) tenant += alphabet[random() % alphabet.size()];
    const DatabaseName database = DatabaseForTenant("d", tenant);
    ASSERT_LE(database.name.size(), kMaxDatabaseBytes);
    ASSERT_TRUE(std::ranges::none_of(database.name, [](char c) { return c >= 'A' && c <= 'Z'; }));
    const auto [entry, is_new] = seen.emplace(database.name, tenant);
    ASSERT_EQ(entry->second, tenant) << database.name;
  }
}

TEST(Tenancy, ABaseNameLeavesRoomForATenant) {
  EXPECT_TRUE(IsDatabaseName("tidegate"));
  EXPECT_TRUE(IsDatabaseName("anan_sky_db"));
  EXPECT_FALSE(IsDatabaseName(""));
  EXPECT_FALSE(IsDatabaseName("a.b"));
  EXPECT_FALSE(IsDatabaseName("a/b"));
  EXPECT_FALSE(IsDatabaseName(std::string(39, 'a')));
}

TEST(TenancyDeathTest, ANameThatWasNotCheckedAborts) {
  EXPECT_DEATH(DatabaseForTenant("tidegate", "a/b"), "a tenant's name is checked");
  EXPECT_DEATH(DatabaseForTenant("tide.gate", "acme"), "a database's name is checked");
}

}  // namespace
}  // namespace tidegate::reader
