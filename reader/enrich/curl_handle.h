// Owning pointers for libcurl's handles. Private to this folder.
#pragma once

#include <curl/curl.h>

#include <memory>

namespace tidegate::reader {

struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
using MultiHandle = std::unique_ptr<CURLM, MultiDeleter>;

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using ListHandle = std::unique_ptr<curl_slist, ListDeleter>;

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using EasyHandle = std::unique_ptr<CURL, EasyDeleter>;

}  // namespace tidegate::reader
