// Looks up host names without blocking the loop: getaddrinfo(3) waits for up to half a minute when
// no name server answers, which is the usual state of a gateway without a link.
//
// Threads: each lookup of a name runs in one of its own, which waits for getaddrinfo and nothing
// else, touches only what it shares with the resolver, and ends by itself, also after the resolver
// is gone.
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

  // Calls back on the loop, never before it returns; a new call, Cancel() and the destructor forget
  // an older one. kUnavailable: out of descriptors or threads.
  Status Resolve(const std::string& host, std::function<void(Answer)> on_answer);
  void Cancel();

  // Whether the name needs a lookup at all: numeric addresses and localhost do not.
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
