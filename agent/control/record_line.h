// A stored record as one line, for `tail` and `export`. Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/record.h"

namespace tidegate {

// <gateway>:<epoch>:<seq>, as in the header tg-id.
std::string SequenceId(std::string_view gateway, std::string_view epoch, Seq seq);
// {"id":...,"kind":...,"value":{...}}
std::string RecordJsonLine(const std::string& id, const Record& record);
// The same for people: time, kind, tenant/asset, value.
std::string RecordTextLine(std::string_view json_line);

}  // namespace tidegate
