// Hides what may be a secret in a text that was written wrongly, before it is shown. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tidegate {

// Returns the text of a URI or a list of settings with "(hidden)" in place of everything before the
// last '@' that has a ':' and may thus be a password, and of each value of a name such as password,
// pass, pw, secret or token. It hides too much rather than too little.
std::string HideSecrets(std::string_view text);

}  // namespace tidegate
