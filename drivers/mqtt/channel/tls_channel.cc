#include "drivers/mqtt/channel/tls_channel.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "core/check.h"
#include "drivers/mqtt/channel/openssl_handle.h"

namespace tidegate {
namespace {

constexpr char kSystemAuthorities[] = "/etc/ssl/certs";

Error Unavailable(std::string message) {
  return Error{ErrorCode::kUnavailable, std::move(message)};
}

// Asking on the terminal would stop the loop.
int RefuseToAskForPassphrase(char*, int, int, void*) {
  return 0;
}

bool IsAddress(const std::string& host) {
  in6_addr address;
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool Expect(SSL* ssl, const std::string& host) {
  if (IsAddress(host)) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  }
  // SSL_set_tlsext_host_name(), whose macro has a cast that we do not allow.
  return SSL_set1_host(ssl, host.c_str()) == 1 &&
         SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                  const_cast<char*>(host.c_str())) == 1;
}

}  // namespace

struct TlsChannel::State {
  SslContextHandle context;
  SslHandle ssl;

  // OpenSSL's callback for a broker that asks for a certificate when none is configured.
  static int OnCertificateWanted(SSL* ssl, X509**, EVP_PKEY**) {
    static_cast<TlsChannel*>(SSL_get_app_data(ssl))->certificate_wanted_ = true;
    return 0;
  }
};

TlsChannel::TlsChannel() : state_(std::make_unique<State>()) {}

TlsChannel::~TlsChannel() = default;

Result<std::unique_ptr<BrokerChannel>> TlsChannel::Make(const ChannelOptions& options, int fd) {
  ERR_clear_error();
  std::unique_ptr<TlsChannel> channel(new TlsChannel());
  Status status = channel->LoadFiles(options);
  if (status.ok()) status = channel->Open(options, fd);
  if (!status.ok()) return status.error();
  return std::unique_ptr<BrokerChannel>(std::move(channel));
}

Status TlsChannel::LoadFiles(const ChannelOptions& options) {
  state_->context.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = state_->context.get();
  if (context == nullptr) return Unavailable("set up TLS: no memory");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_default_passwd_cb(context, RefuseToAskForPassphrase);
  SSL_CTX_set_client_cert_cb(context, State::OnCertificateWanted);
  SSL_CTX_set_verify(context, options.verify_peer ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  const bool has_ca = options.ca_file.empty()
                          ? SSL_CTX_load_verify_dir(context, kSystemAuthorities) == 1
                          : SSL_CTX_load_verify_file(context, options.ca_file.c_str()) == 1;
  if (!has_ca) return Unavailable(fmt::format("set up TLS: cannot read ca '{}'", options.ca_file));
  if (options.cert_file.empty()) return {};
  const bool has_key =
      SSL_CTX_use_certificate_chain_file(context, options.cert_file.c_str()) == 1 &&
      SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) == 1 &&
      SSL_CTX_check_private_key(context) == 1;
  if (has_key) return {};
  return Unavailable(
      fmt::format("set up TLS: cannot read cert '{}' and key '{}', or they do not belong together",
                  options.cert_file, options.key_file));
}

Status TlsChannel::Open(const ChannelOptions& options, int fd) {
  state_->ssl.reset(SSL_new(state_->context.get()));
  SSL* const ssl = state_->ssl.get();
  if (ssl == nullptr || SSL_set_fd(ssl, fd) != 1) return Unavailable("set up TLS: no memory");
  SSL_set_app_data(ssl, this);
  if (!Expect(ssl, options.host)) {
    return Unavailable(fmt::format("set up TLS: '{}' is no name of a host", options.host));
  }
  SSL_set_connect_state(ssl);
  return {};
}

Result<size_t> TlsChannel::Read(std::span<char> buffer) {
  ERR_clear_error();
  errno = 0;
  const size_t size = std::min<size_t>(buffer.size(), INT_MAX);
  return Outcome(SSL_read(state_->ssl.get(), buffer.data(), static_cast<int>(size)));
}

Result<size_t> TlsChannel::Write(std::string_view bytes) {
  CHECK(!bytes.empty(), "OpenSSL takes an empty write for an error");
  ERR_clear_error();
  errno = 0;
  const size_t size = std::min<size_t>(bytes.size(), INT_MAX);
  return Outcome(SSL_write(state_->ssl.get(), bytes.data(), static_cast<int>(size)));
}

bool TlsChannel::buffered() const {
  return SSL_has_pending(state_->ssl.get()) == 1;
}

// `result` is that of the call just made.
Result<size_t> TlsChannel::Outcome(int result) {
  const int system_error = errno;
  if (result > 0) return static_cast<size_t>(result);
  const int kind = SSL_get_error(state_->ssl.get(), result);
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return size_t{0};
  // Not connected yet is no error.
  if (kind == SSL_ERROR_SYSCALL && system_error == ENOTCONN) return size_t{0};
  const bool closed = kind == SSL_ERROR_ZERO_RETURN ||
                      ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING ||
                      (kind == SSL_ERROR_SYSCALL && system_error == 0);
  // A broker that wants a certificate may reset the connection before its alert has arrived.
  security_failed_ = (kind == SSL_ERROR_SSL && !closed) ||
                     SSL_is_init_finished(state_->ssl.get()) == 0 ||
                     (certificate_wanted_ && (system_error == ECONNRESET || system_error == EPIPE));
  return Unavailable(CauseOfEnd(closed, system_error));
}

std::string TlsChannel::CauseOfEnd(bool closed, int system_error) const {
  const long verified = SSL_get_verify_result(state_->ssl.get());
  const unsigned long code = ERR_peek_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string cause;
  if (closed) {
    cause = "the broker closed the connection";
  } else if (reason != nullptr) {
    cause = fmt::format("TLS: {}", reason);
  } else {
    cause = std::strerror(system_error);
  }
  if (verified != X509_V_OK) cause += fmt::format(" ({})", X509_verify_cert_error_string(verified));
  if (security_failed_ && certificate_wanted_) {
    cause += "; the broker asks for a certificate of ours, and neither cert nor key is configured";
  }
  return cause;
}

}  // namespace tidegate
