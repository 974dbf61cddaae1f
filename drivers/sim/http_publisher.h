// Posts heartbeats as JSON over HTTP, several requests at a time, so that their order is not kept.
// A 2xx acknowledges every heartbeat of the request; after 408, 429, 5xx and broken connections the
// request is sent again; any other answer refuses its heartbeats. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/backoff.h"
#include "core/clock.h"
#include "core/result.h"
#include "drivers/sim/publisher.h"

namespace tidegate {

struct HttpPublisherOptions {
  std::string url;       // http: or https:
  std::string ca_file;   // Empty: the system's authorities.
  std::string username;  // Empty: no basic authentication.
  std::string password;
  // Heartbeats in a request; more than one are sent as an array.
  size_t batch = 1;
  // Requests in flight at most.
  size_t requests = 16;
};

class HttpPublisher final : public Publisher {
 public:
  // kInvalid: libcurl refuses the options. `clock` outlives the publisher.
  static Result<std::unique_ptr<HttpPublisher>> Make(HttpPublisherOptions options,
                                                     const Clock& clock);
  ~HttpPublisher() override;

  bool HasRoom() const override;
  void Publish(const Heartbeat& heartbeat) override;
  void Flush() override;
  Status Step(std::chrono::milliseconds wait) override;
  PublisherCounts counts() const override { return counts_; }
  std::string state() const override { return state_; }

 private:
  struct Curl;     // The handles that all requests share.
  struct Request;  // A slot for one request at a time.

  HttpPublisher(HttpPublisherOptions options, const Clock& clock);
  Status Prepare(Request& request);
  Request* FindIdle() const;
  void Send(Request& request);
  void Finish(Request& request, int curl_code);
  void TryAgainWhatIsDue();

  const HttpPublisherOptions options_;
  const Clock& clock_;
  Backoff backoff_;
  std::unique_ptr<Curl> curl_;
  // After curl_, so that they are destroyed before it.
  std::vector<std::unique_ptr<Request>> requests_;
  // The body of the next request, and how many heartbeats it holds.
  std::string body_;
  size_t in_body_ = 0;
  PublisherCounts counts_;
  std::string state_ = "nothing sent yet";
};

}  // namespace tidegate
