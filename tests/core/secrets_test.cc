#include "core/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(SecretsTest, APasswordIsHiddenHoweverTheUriIsBroken) {
  for (const char* text :
       {"mqtt://user:S3cret@host/topic", "mqtt:/user:S3cret@host/topic", "mqtt:user:S3cret@host",
        "mqtt//user:S3cret@host", "user:S3cret@host/topic", "mqtt://user:S3c/ret@host/topic",
        "mqtt://:S3cret@host", "mqtt://u:x@S3cret@host", "mqtts://user:S3cret@[::1",
        "MQTT://u:S3cret@", "mqtt://host/topic?password=S3cret",
        "mqtt://host/t?Passwd=S3cret&tenant=acme", "a=1;secret=S3cret",
        "mqtt://host/t?api_token=S3cret", "mqtt://host/t?pass=S3cret", "mqtt://host/t?pw=S3cret"}) {
    EXPECT_THAT(HideSecrets(text), Not(HasSubstr("S3c"))) << text;
    EXPECT_THAT(HideSecrets(text), HasSubstr("(hidden)")) << text;
  }
}

TEST(SecretsTest, WhatHoldsNoSecretIsShown) {
  for (const char* text :
       {"mqtt://localhost:1883/fleet/{tenant}/{asset}/heartbeat",
        "mqtts://gw-1@broker:8883/a/#?ca=/etc/ca.pem", "serial:/dev/ttyUSB0?baud=9600",
        "kafka-1:9093,kafka-2:9093", "", "mqtt://host/mail@home"}) {
    EXPECT_EQ(HideSecrets(text), text);
  }
}

TEST(SecretsTest, TheRestIsShown) {
  EXPECT_EQ(HideSecrets("mqtt://user:S3cret@host/a?tenant=acme&password=x"),
            "mqtt://(hidden)@host/a?tenant=acme&password=(hidden)");
}

}  // namespace
}  // namespace tidegate
