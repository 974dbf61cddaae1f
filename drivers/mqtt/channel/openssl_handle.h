// Owners for the objects that OpenSSL allocates. Private to drivers/mqtt/channel.
#pragma once

#include <openssl/ssl.h>

#include <memory>

namespace tidegate {

struct SslContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContextHandle = std::unique_ptr<SSL_CTX, SslContextDeleter>;

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslHandle = std::unique_ptr<SSL, SslDeleter>;

}  // namespace tidegate
