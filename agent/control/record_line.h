// Writes a stored record as one line, for `tail` and `export`. Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/record.h"

namespace tidegate {

// Returns <gateway>:<epoch>:<seq>, the record's sequence id as the header tg-id has it.
std::string SequenceId(std::string_view gateway, std::string_view epoch, Seq seq);
// Returns {"id":...,"kind":...,"value":{...}} without a newline. The value is the record's, byte
// for byte.
std::string RecordJsonLine(const std::string& id, const Record& record);
// Returns the same line for people: time, kind, tenant/asset, value; "-" stands for what is
// missing. A line that does not parse is returned as it is.
std::string RecordTextLine(std::string_view json_line);

}  // namespace tidegate
