#include "drivers/sim/http_publisher.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace tidegate {
namespace {

constexpr Backoff::Options kRetry{.initial = std::chrono::milliseconds(200),
                                  .max = std::chrono::seconds(5)};
constexpr long kTimeoutSeconds = 30;

struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// Initialises the library for as long as the program runs.
struct CurlLibrary {
  CurlLibrary() { curl_global_init(CURL_GLOBAL_DEFAULT); }
  ~CurlLibrary() { curl_global_cleanup(); }
};

size_t Discard(char*, size_t size, size_t count, void*) {
  return size * count;
}

bool MayPass(long status) {
  return status == 408 || status == 429 || status >= 500;
}

}  // namespace

struct HttpPublisher::Curl {
  std::unique_ptr<CURLM, MultiDeleter> multi{curl_multi_init()};
  std::unique_ptr<curl_slist, ListDeleter> headers{
      curl_slist_append(nullptr, "Content-Type: application/json")};
};

struct HttpPublisher::Request {
  enum class State { kIdle, kSending, kWaiting };

  ~Request() {
    if (state == State::kSending) curl_multi_remove_handle(multi, easy.get());
  }

  CURLM* multi = nullptr;
  std::unique_ptr<CURL, EasyDeleter> easy{curl_easy_init()};
  std::string body;
  size_t heartbeats = 0;
  State state = State::kIdle;
  BootTime again{};  // In kWaiting.
};

HttpPublisher::HttpPublisher(HttpPublisherOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), backoff_(kRetry, 1) {}

HttpPublisher::~HttpPublisher() = default;

Result<std::unique_ptr<HttpPublisher>> HttpPublisher::Make(HttpPublisherOptions options,
                                                           const Clock& clock) {
  static const CurlLibrary library;
  std::unique_ptr<HttpPublisher> publisher(new HttpPublisher(std::move(options), clock));
  publisher->curl_ = std::make_unique<Curl>();
  for (size_t i = 0; i < publisher->options_.requests; ++i) {
    publisher->requests_.push_back(std::make_unique<Request>());
    if (Status status = publisher->Prepare(*publisher->requests_.back()); !status) {
      return status.error();
    }
  }
  return publisher;
}

Status HttpPublisher::Prepare(Request& request) {
  CURL* easy = request.easy.get();
  request.multi = curl_->multi.get();
  CURLcode code = curl_easy_setopt(easy, CURLOPT_URL, options_.url.c_str());
  const auto set = [easy, &code](auto option, auto value) {
    if (code == CURLE_OK) code = curl_easy_setopt(easy, option, value);
  };
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTPHEADER, curl_->headers.get());
  set(CURLOPT_WRITEFUNCTION, Discard);
  set(CURLOPT_TIMEOUT, kTimeoutSeconds);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PRIVATE, static_cast<void*>(&request));
  if (!options_.ca_file.empty()) set(CURLOPT_CAINFO, options_.ca_file.c_str());
  if (!options_.username.empty()) {
    set(CURLOPT_USERNAME, options_.username.c_str());
    set(CURLOPT_PASSWORD, options_.password.c_str());
  }
  if (code == CURLE_OK) return {};
  return Error{ErrorCode::kInvalid,
               fmt::format("set up requests to {}: {}", options_.url, curl_easy_strerror(code))};
}

HttpPublisher::Request* HttpPublisher::FindIdle() const {
  for (const auto& request : requests_) {
    if (request->state == Request::State::kIdle) return request.get();
  }
  return nullptr;
}

bool HttpPublisher::HasRoom() const {
  return FindIdle() != nullptr;
}

void HttpPublisher::Publish(const Heartbeat& heartbeat) {
  CHECK(HasRoom(), "Publish() needs room");
  if (options_.batch > 1) body_ += body_.empty() ? '[' : ',';
  body_ += heartbeat.payload;
  if (++in_body_ >= options_.batch) Flush();
}

void HttpPublisher::Flush() {
  if (in_body_ == 0) return;
  Request* request = FindIdle();
  // Publish() is called only while a request is idle, so a body that has begun has one.
  if (request == nullptr) return;
  if (options_.batch > 1) body_ += ']';
  request->body = std::exchange(body_, {});
  request->heartbeats = std::exchange(in_body_, 0);
  CURL* easy = request->easy.get();
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(request->body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.c_str());
  Send(*request);
}

void HttpPublisher::Send(Request& request) {
  request.state = Request::State::kSending;
  curl_multi_add_handle(curl_->multi.get(), request.easy.get());
}

void HttpPublisher::Finish(Request& request, int curl_code) {
  CURL* easy = request.easy.get();
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_multi_remove_handle(curl_->multi.get(), easy);
  request.state = Request::State::kIdle;
  const auto code = static_cast<CURLcode>(curl_code);
  if (code == CURLE_OK && status >= 200 && status < 300) {
    counts_.acknowledged += request.heartbeats;
    backoff_.Reset();
    state_ = fmt::format("{} answers {}", options_.url, status);
    return;
  }
  state_ = code == CURLE_OK ? fmt::format("{} answers {}", options_.url, status)
                            : fmt::format("post to {}: {}", options_.url, curl_easy_strerror(code));
  if (code == CURLE_OK && !MayPass(status)) {
    counts_.refused += request.heartbeats;
    return;
  }
  request.state = Request::State::kWaiting;
  request.again = clock_.SinceBoot() + backoff_.Next();
}

void HttpPublisher::TryAgainWhatIsDue() {
  const BootTime now = clock_.SinceBoot();
  for (const auto& request : requests_) {
    if (request->state == Request::State::kWaiting && now >= request->again) Send(*request);
  }
}

Status HttpPublisher::Step(std::chrono::milliseconds wait) {
  TryAgainWhatIsDue();
  int running = 0;
  curl_multi_perform(curl_->multi.get(), &running);
  curl_multi_poll(curl_->multi.get(), nullptr, 0, static_cast<int>(wait.count()), nullptr);
  curl_multi_perform(curl_->multi.get(), &running);
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(curl_->multi.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    char* request = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
    // Set in Prepare().
    Finish(*reinterpret_cast<Request*>(request), message->data.result);
  }
  return {};
}

}  // namespace tidegate
