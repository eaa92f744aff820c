#include "cluster/door/tls.hpp"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <utility>

#include "cluster/authority.hpp"

namespace winnow::cluster {
namespace {

namespace ssl = boost::asio::ssl;

using VerificationPtr = std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>>;

constexpr long kChainBytesMax = 16 << 10;

Error refused(const std::string& why) { return Error(ErrorCode::Refused, why); }

Status use_identity(SSL_CTX* context, const Identity& own) {
  auto leaf = read_certificate(own.chain);
  if (!leaf) return leaf.error();
  const auto key = read_key(own.key);
  if (!key) return key.error();
  if (SSL_CTX_use_certificate(context, leaf->get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key->get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return Error(ErrorCode::InvalidInput, "certificate and key do not fit: " + openssl_complaint());
  }
  return {};
}

/// Hands each certificate of `pem` to `add`.
template <class Add>
Status each_certificate(std::string_view pem, Add add) {
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  while (!pem.empty()) {
    const std::size_t end = pem.find(kEnd);
    if (end == std::string_view::npos) return {};
    auto certificate = read_certificate(pem.substr(0, end + kEnd.size()));
    if (!certificate) return certificate.error();
    if (!add(certificate->get())) return Error(ErrorCode::Internal, openssl_complaint());
    pem.remove_prefix(end + kEnd.size());
  }
  return {};
}

}  // namespace

Result<Trust> read_trust(const std::filesystem::path& identity,
                         const std::filesystem::path& revoked) {
  auto own = read_identity(identity);
  if (!own) return own.error();
  Trust trust{.own = std::move(*own), .revoked = {}, .context = nullptr};
  if (!revoked.empty()) {
    auto list = read_revoked(revoked);
    if (!list) return list.error();
    trust.revoked = std::move(*list);
  }
  trust.context = std::make_shared<ssl::context>(ssl::context::tls);
  SSL_CTX* const context = trust.context->native_handle();
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  // A resumed session would skip the look at the revocation list's time.
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_cert_list(context, kChainBytesMax);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  const Status fits = use_identity(context, trust.own);
  if (!fits) return fits.error().within(identity.string());
  bool first = true;
  WINNOW_TRY(each_certificate(trust.own.chain, [&](X509* certificate) {
    const bool leaf = std::exchange(first, false);
    return leaf || SSL_CTX_add1_chain_cert(context, certificate) == 1;
  }));
  WINNOW_TRY(each_certificate(trust.own.authorities, [&](X509* certificate) {
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate) == 1;
  }));
  return trust;
}

Result<Subject> check_peer(const Trust& trust, SSL* connection) {
  const CertificatePtr peer(SSL_get1_peer_certificate(connection));
  if (peer == nullptr) return refused("no certificate");
  const VerificationPtr verification(X509_STORE_CTX_new());
  X509_STORE* const store = SSL_CTX_get_cert_store(trust.context->native_handle());
  const bool serving = trust.own.role == Role::Coordinator;
  if (verification == nullptr ||
      X509_STORE_CTX_init(verification.get(), store, peer.get(),
                          SSL_get_peer_cert_chain(connection)) != 1 ||
      X509_STORE_CTX_set_default(verification.get(), serving ? "ssl_client" : "ssl_server") != 1) {
    return Error(ErrorCode::Internal, openssl_complaint());
  }
  if (X509_verify_cert(verification.get()) != 1) {
    const int why = X509_STORE_CTX_get_error(verification.get());
    return refused(X509_verify_cert_error_string(why));
  }
  auto subject = subject_of(*peer);
  if (!subject) return subject;
  const std::string who = std::string(role_name(subject->role)) + " '" + subject->name + "'";
  if (subject->farm != trust.own.farm) {
    return refused(who + " belongs to farm '" + subject->farm + "', not '" + trust.own.farm + "'");
  }
  if ((subject->role == Role::Coordinator) == serving) {
    return refused(who + " may not be at this end of the door");
  }
  if (trust.revoked.contains(subject->serial)) return refused(who + " is revoked");
  return subject;
}

}  // namespace winnow::cluster
