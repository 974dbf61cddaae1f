// A fetcher whose answers are scripted by URL. One thread.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "reader/enrich/fetcher.h"

namespace tidegate::reader {

class FakeFetcher final : public Fetcher {
 public:
  void Start(FetchRequest request) override {
    asked_.push_back(request.url);
    on_the_way_.push_back(std::move(request));
  }
  std::vector<FetchResult> Wait(std::chrono::milliseconds) override {
    std::vector<FetchResult> results = std::exchange(timed_out_, {});
    if (silent_) return results;
    for (const FetchRequest& request : std::exchange(on_the_way_, {})) {
      const auto found = answers_.find(request.url);
      results.push_back(
          {request.id, found == answers_.end() ? ReadAnswer(503, "") : found->second});
    }
    return results;
  }
  void Wake() override {}

  void Answer(const std::string& url, long status, std::string_view body) {
    answers_[url] = ReadAnswer(status, body);
  }
  // No request is answered until Speak().
  void FallSilent() { silent_ = true; }
  void Speak() { silent_ = false; }
  // The requests on their way reach their limit of time.
  void TimeOut() {
    for (const FetchRequest& request : std::exchange(on_the_way_, {}))
      timed_out_.push_back({request.id, {.reason = "timed out"}});
  }

  const std::vector<std::string>& asked() const { return asked_; }
  size_t on_the_way() const { return on_the_way_.size(); }

 private:
  std::map<std::string, SourceAnswer> answers_;
  std::vector<FetchRequest> on_the_way_;
  std::vector<FetchResult> timed_out_;
  std::vector<std::string> asked_;
  bool silent_ = false;
};

}  // namespace tidegate::reader
