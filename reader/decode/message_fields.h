// What the reader looks for among a message's members, under all the names that producers use. Each
// function refuses a member that is there but cannot mean what its name says. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/json/json.h"
#include "reader/consume/dead_letters.h"

namespace tidegate::reader {

Refusal MemberRefusal(std::string_view member, std::string_view problem);

// An id is text; devices also send whole numbers, which are kept as their digits.
std::optional<std::string> IdText(json::Value value);

// Text or a Unix time in s or ms.
std::optional<WallTime> TimeOf(json::Value value);

// asset_id, device_id, machine_id or sensor_id; leaves `asset` alone if there is none.
std::optional<Refusal> ReadAsset(json::Value root, std::string& asset);

// timestamp or ts; leaves `time` alone if there is none.
std::optional<Refusal> ReadTime(json::Value root, std::optional<WallTime>& time);

// schema_version, a whole number; leaves `version` alone if there is none.
std::optional<Refusal> ReadSchemaVersion(json::Value root, uint32_t& version);

// What a machine's message says of its failure, at the top or in additional_data: `failure`,
// `failed`, `is_failure`, `machine_failure`, `has_failed` or `in_failure` (a truth, a number that
// is not 0, yes, the failure itself as an object, or a list with any), else a word in `status`,
// `state` or `machine_status` (failed, fault, error, down; ok, normal, running, ...). `failed`
// stays nullopt if none says anything: a word that is not known tells of something else.
std::optional<Refusal> ReadFailure(json::Value root, std::optional<bool>& failed);

}  // namespace tidegate::reader
