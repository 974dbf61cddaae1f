// Reads the members of a message that the reader understands, under all the names that producers
// use. Each function refuses a member that is present but cannot mean what its name says. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/json/json.h"
#include "reader/consume/dead_letters.h"

namespace tidegate::reader {

// Returns the refusal "<member> <problem>" of the kind kMember.
Refusal MemberRefusal(std::string_view member, std::string_view problem);

// Returns an id: text, or the digits of a whole number, because devices send those too; nullopt for
// any other value.
std::optional<std::string> IdText(json::Value value);

// Returns the time in a text, or in a number as Unix time in s or ms; nullopt for any other value.
std::optional<WallTime> TimeOf(json::Value value);

// Reads asset_id, device_id, machine_id or sensor_id; leaves `asset` unchanged without any of them.
std::optional<Refusal> ReadAsset(json::Value root, std::string& asset);

// Reads timestamp or ts; leaves `time` unchanged without either.
std::optional<Refusal> ReadTime(json::Value root, std::optional<WallTime>& time);

// Reads schema_version, a whole number; leaves `version` unchanged without it.
std::optional<Refusal> ReadSchemaVersion(json::Value root, uint32_t& version);

// Reads whether a machine has failed, from members at the top or in additional_data: `failure`,
// `failed`, `is_failure`, `machine_failure`, `has_failed` or `in_failure` (true, a number other
// than 0, a word for yes, the failure as an object, or a list that is not empty), else a word in
// `status`, `state` or `machine_status` (failed, fault, error, down; ok, normal, running, ...).
// `failed` stays nullopt if no member says anything; an unknown word in the last three says
// nothing.
std::optional<Refusal> ReadFailure(json::Value root, std::optional<bool>& failed);

}  // namespace tidegate::reader
