// Owning pointers for libcurl's handles. Private to this folder.
#pragma once

#include <curl/curl.h>

#include <memory>

namespace tidegate::reader {

struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
using MultiHandle = std::unique_ptr<CURLM, MultiDeleter>;

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using EasyHandle = std::unique_ptr<CURL, EasyDeleter>;

}  // namespace tidegate::reader
