#include "reader/enrich/curl_fetcher.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <map>
#include <utility>

#include "reader/enrich/address.h"
#include "reader/enrich/curl_handle.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

constexpr long kMaxConnections = 32;

// libcurl wants one init before anything else and one cleanup after everything else in a process.
void UseLibrary() {
  struct Library {
    Library() { curl_global_init(CURL_GLOBAL_DEFAULT); }
    ~Library() { curl_global_cleanup(); }
  };
  static const Library library;
}

bool IsPublic(const curl_sockaddr& target) {
  if (target.family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, &target.addr, sizeof(address));
    std::array<uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &address.sin_addr, bytes.size());
    return IsPublicAddress(bytes);
  }
  if (target.family == AF_INET6 && target.addrlen >= sizeof(sockaddr_in6)) {
    // The member `addr` is only as long as a sockaddr; libcurl keeps the whole address behind it.
    std::array<uint8_t, 16> bytes{};
    const auto* whole = reinterpret_cast<const uint8_t*>(&target.addr);
    std::memcpy(bytes.data(), whole + offsetof(sockaddr_in6, sin6_addr), bytes.size());
    return IsPublicAddress(bytes);
  }
  return false;
}

struct Transfer {
  std::array<char, CURL_ERROR_SIZE> trouble{};  // libcurl's words, used until `easy` is gone.
  // Destroyed after `easy`, which refers to them.
  ListHandle headers;
  EasyHandle easy{curl_easy_init()};
  FetchRequest request;
  std::string body;
  bool too_large = false;
  bool refused_address = false;
};

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (transfer.body.size() + size * count > kMaxReplyBytes) {
    transfer.too_large = true;
    return 0;  // Ends the transfer.
  }
  transfer.body.append(data, size * count);
  return size * count;
}

curl_socket_t OnSocket(void* user, curlsocktype, curl_sockaddr* target) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (!transfer.request.allow_private && !IsPublic(*target)) {
    transfer.refused_address = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(target->family, target->socktype | SOCK_CLOEXEC, target->protocol);
}

// Returns false if there is no memory.
bool AddHeaders(Transfer& transfer) {
  for (const std::string& header : transfer.request.headers) {
    // The new list holds the old one.
    curl_slist* list = curl_slist_append(transfer.headers.get(), header.c_str());
    if (list == nullptr) return false;
    static_cast<void>(transfer.headers.release());
    transfer.headers.reset(list);
  }
  return true;
}

CURLcode Prepare(Transfer& transfer) {
  CURL* easy = transfer.easy.get();
  if (!AddHeaders(transfer)) return CURLE_OUT_OF_MEMORY;
  CURLcode code = CURLE_OK;
  const auto set = [easy, &code](auto option, auto value) {
    if (code == CURLE_OK) code = curl_easy_setopt(easy, option, value);
  };
  set(CURLOPT_URL, transfer.request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_ERRORBUFFER, transfer.trouble.data());
  if (!transfer.request.ca_file.empty()) {
    set(CURLOPT_CAINFO, transfer.request.ca_file.c_str());
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  // The environment's proxy would connect for us, wherever it is asked to.
  set(CURLOPT_PROXY, "");
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_USERAGENT, "tidegate-reader");
  set(CURLOPT_HTTPHEADER, transfer.headers.get());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(transfer.request.timeout.count()));
  set(CURLOPT_WRITEFUNCTION, OnBody);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  set(CURLOPT_OPENSOCKETFUNCTION, OnSocket);
  set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(&transfer));
  set(CURLOPT_PRIVATE, static_cast<void*>(&transfer));
  return code;
}

SourceAnswer AnswerOf(const Transfer& transfer, CURLcode code) {
  if (transfer.too_large)
    return {.reason = fmt::format("its answer has over {} bytes", kMaxReplyBytes)};
  if (transfer.refused_address)
    return {.reason = "its address is private, which allow_private=yes would permit"};
  if (code != CURLE_OK) {
    const char* words = transfer.trouble.data();
    return {.reason = *words != '\0' ? words : curl_easy_strerror(code)};
  }
  long status = 0;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status >= 300 && status < 400) return {.reason = "it redirects, which is not followed"};
  return ReadAnswer(status, transfer.body);
}

class CurlFetcher final : public Fetcher {
 public:
  ~CurlFetcher() override {
    for (const auto& [easy, transfer] : transfers_) curl_multi_remove_handle(multi_.get(), easy);
  }
  Status Open();

  void Start(FetchRequest request) override;
  std::vector<FetchResult> Wait(milliseconds patience) override;
  void Wake() override { curl_multi_wakeup(multi_.get()); }

 private:
  void Perform();
  void Finish(CURL* easy, CURLcode code);

  MultiHandle multi_{curl_multi_init()};
  std::map<CURL*, std::unique_ptr<Transfer>> transfers_;
  std::vector<FetchResult> results_;
};

Status CurlFetcher::Open() {
  if (multi_ &&
      curl_multi_setopt(multi_.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS, kMaxConnections) == CURLM_OK)
    return {};
  return Error{ErrorCode::kUnavailable, "set up libcurl: no memory"};
}

void CurlFetcher::Start(FetchRequest request) {
  auto transfer = std::make_unique<Transfer>();
  transfer->request = std::move(request);
  CURL* easy = transfer->easy.get();
  if (!easy || Prepare(*transfer) != CURLE_OK ||
      curl_multi_add_handle(multi_.get(), easy) != CURLM_OK) {
    results_.push_back({transfer->request.id, {.reason = "libcurl does not take the request"}});
    return;
  }
  transfers_.emplace(easy, std::move(transfer));
}

std::vector<FetchResult> CurlFetcher::Wait(milliseconds patience) {
  Perform();
  if (results_.empty()) {
    curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(patience.count()), nullptr);
    Perform();
  }
  return std::exchange(results_, {});
}

void CurlFetcher::Perform() {
  int running = 0;
  curl_multi_perform(multi_.get(), &running);
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg == CURLMSG_DONE) Finish(message->easy_handle, message->data.result);
  }
}

void CurlFetcher::Finish(CURL* easy, CURLcode code) {
  const auto found = transfers_.find(easy);
  results_.push_back({found->second->request.id, AnswerOf(*found->second, code)});
  curl_multi_remove_handle(multi_.get(), easy);
  transfers_.erase(found);
}
}  // namespace

Result<std::unique_ptr<Fetcher>> MakeCurlFetcher() {
  UseLibrary();
  auto fetcher = std::make_unique<CurlFetcher>();
  if (Status status = fetcher->Open(); !status.ok()) return status.error();
  return std::unique_ptr<Fetcher>(std::move(fetcher));
}

}  // namespace tidegate::reader
