// Looks up host names without blocking the loop: getaddrinfo(3) waits for up to half a minute when
// no name server answers, which is the usual state of a gateway without a link. Loop thread only.
//
// Threads: each lookup runs in a thread of its own. It waits for getaddrinfo and nothing else,
// touches only what it shares with the resolver, and ends by itself, even after the resolver has
// been destroyed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/loop/loop.h"
#include "core/result.h"

namespace tidegate {

class Resolver {
 public:
  // At least one numeric address, or kUnavailable.
  using Answer = Result<std::vector<std::string>>;

  // `loop` outlives the resolver.
  explicit Resolver(Loop& loop);
  ~Resolver();

  // Begins a lookup and calls `on_answer` on the loop, never before it returns. A new call,
  // Cancel() and the destructor abandon the previous lookup. kUnavailable: no descriptor or thread
  // is left.
  Status Resolve(const std::string& host, std::function<void(Answer)> on_answer);
  void Cancel();

  // False for numeric addresses and localhost.
  static bool NeedsLookup(const std::string& host);

 private:
  struct Lookup;

  void OnAnswer();

  Loop& loop_;
  std::shared_ptr<Lookup> lookup_;
  std::unique_ptr<FdWatch> watch_;
  std::function<void(Answer)> on_answer_;
};

}  // namespace tidegate
