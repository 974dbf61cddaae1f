#include "core/http/peer.h"
#include "reader/config/loader.h"
#include "reader/config/setting_file.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;
constexpr std::string_view kTokens = "api.tokens";
constexpr std::string_view kTokensFile = "TIDEGATE_API_TOKENS_FILE";
constexpr std::string_view kTokensOrigin = "credential api.tokens";
}  // namespace

// The credential takes precedence over the variable, which names a file.
void Loader::LoadTokens() {
  const auto file = environment_.Find(kTokensFile);
  if (const auto path = credentials_.Path(kTokens))
    return LoadTokenFile({*path, std::string(kTokensOrigin)});
  if (const auto other = credentials_.Read(kTokens); !other.ok())
    return Problem(kTokensOrigin, other.error().message);
  if (file) return LoadTokenFile(*file);
  Show(kTokensOrigin, "none", "default");
}

void Loader::LoadTokenFile(const Found& file) {
  const auto text = ReadSettingFile(file.value);
  if (!text.ok()) return Problem(file.origin, text.error().message);
  auto tokens = TokenTable::Parse(*text);
  if (!tokens.ok()) return Problem(file.origin, tokens.error().message);
  Show(kTokensOrigin, fmt::format("{} tokens", tokens->size()), file.origin);
  config_.api.tokens = std::move(tokens).value();
  config_.live.tokens_file = file.value;
}

// Without tokens, everyone who reaches the port can read the data of every tenant.
void Loader::CheckReach() {
  if (!config_.http || !config_.roles.api || config_.api.tokens) return;
  if (http::IsLoopback(config_.http->address)) return;
  if (environment_.Find("TIDEGATE_HTTP_LISTEN")) {
    return Problem("TIDEGATE_HTTP_LISTEN",
                   "the role api on an address that others reach needs the credential api.tokens; "
                   "else listen on 127.0.0.1, or take api out of TIDEGATE_ROLES");
  }
  config_.warnings.push_back(
      "without the credential api.tokens others than this machine get metrics and health only");
}

void Loader::LoadApi() {
  ApiOptions& api = config_.api;
  LoadTokens();
  api.pool.threads = Number("TIDEGATE_API_THREADS", {}, api.pool.threads, 1, 32);
  api.pool.deadline = Duration("TIDEGATE_API_TIMEOUT", {}, api.pool.deadline, milliseconds(100),
                               std::chrono::minutes(1));
  const auto rate = Number("TIDEGATE_API_RATE", {}, 20, 1, 100'000);
  api.rate.per_second = static_cast<double>(rate);
  api.rate.burst = 5 * api.rate.per_second;
  const Found shutdown = Text("TIDEGATE_HTTP_SHUTDOWN", {}, "off");
  api.shutdown = shutdown.value == "on";
  if (shutdown.value != "on" && shutdown.value != "off")
    Problem(shutdown.origin, fmt::format("'{}' is neither on nor off", shutdown.value));
  if (api.shutdown && !api.tokens)
    Problem(shutdown.origin, "POST /shutdown needs a token with role=admin in api.tokens");
  CheckReach();
}

}  // namespace tidegate::reader
