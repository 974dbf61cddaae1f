// Standard output of a program that is run for what it prints. A write that fails (a full disk, a
// closed pipe) is reported on standard error, and fails the program. Main thread.
#pragma once

#include <string_view>

namespace tidegate {

// Prints the text. Returns false if it, or anything before it, could not be written.
bool Print(std::string_view text);

// Writes what is buffered. Returns as Print.
bool FlushOutput();

// Flushes and closes standard output. Returns `code`, or 1 in place of 0 if not everything could be
// written. Nothing may be printed afterwards.
int FinishOutput(int code);

}  // namespace tidegate
