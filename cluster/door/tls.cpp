#include "cluster/door/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <boost/asio/ssl/error.hpp>
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

/// Purpose: a TLS context with what its verification asks for; it lives as long as a connection
/// that was made with it, whatever was read since. Thread: the door's.
struct JudgingContext {
  ssl::context context{ssl::context::tls};
  std::string farm;
  bool serving = false;
  std::set<std::string> revoked;
};

int judge_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}
int note_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

/// The peer that `certificate` describes, if it may be at the other end. Fails: Refused.
Result<Subject> judge(const X509& certificate, const std::string& farm, bool serving,
                      const std::set<std::string>& revoked) {
  auto subject = subject_of(certificate);
  if (!subject) return refused(subject.error().text());
  const std::string who = std::string(role_name(subject->role)) + " '" + subject->name + "'";
  if (subject->farm != farm) {
    return refused(who + " belongs to farm '" + subject->farm + "', not '" + farm + "'");
  }
  if ((subject->role == Role::Coordinator) == serving) {
    return refused(who + " may not be at this end of the door");
  }
  if (revoked.contains(subject->serial)) return refused(who + " is revoked");
  return subject;
}

/// OpenSSL's question about each certificate of a chain. What is refused here, the peer hears as a
/// TLS alert.
int on_certificate(int fine, X509_STORE_CTX* verification) {
  if (fine != 1 || X509_STORE_CTX_get_error_depth(verification) != 0) return fine;
  auto* const connection = static_cast<SSL*>(
      X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto* const judging = static_cast<const JudgingContext*>(
      SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), judge_index()));
  const auto subject = judge(*X509_STORE_CTX_get_current_cert(verification), judging->farm,
                             judging->serving, judging->revoked);
  if (subject) return 1;
  if (auto* const note = static_cast<std::string*>(SSL_get_ex_data(connection, note_index()))) {
    *note = subject.error().text();
  }
  const bool revoked = subject.error().text().ends_with("is revoked");
  X509_STORE_CTX_set_error(verification,
                           revoked ? X509_V_ERR_CERT_REVOKED : X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
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

void note_refusal_in(SSL* connection, std::string& why) {
  SSL_set_ex_data(connection, note_index(), &why);
}

std::string refusal_text(SSL* connection, const std::string& failed) {
  const auto* const note =
      static_cast<const std::string*>(SSL_get_ex_data(connection, note_index()));
  if (note != nullptr && !note->empty()) return *note;
  const long why = SSL_get_verify_result(connection);
  if (why == X509_V_OK) return "no TLS handshake: " + failed;
  return std::string("its certificate is refused: ") + X509_verify_cert_error_string(why);
}

std::string alert_of(const boost::system::error_code& failed) {
  if (failed.category() != boost::asio::error::get_ssl_category()) return "";
  const int reason = ERR_GET_REASON(static_cast<unsigned long>(failed.value()));
  if (reason <= SSL_AD_REASON_OFFSET || reason > SSL_AD_REASON_OFFSET + 0xff) return "";
  return SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET);
}

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
  const auto judging = std::make_shared<JudgingContext>();
  judging->farm = trust.own.farm;
  judging->serving = trust.own.role == Role::Coordinator;
  judging->revoked = trust.revoked;
  trust.context = std::shared_ptr<ssl::context>(judging, &judging->context);
  SSL_CTX* const context = trust.context->native_handle();
  SSL_CTX_set_ex_data(context, judge_index(), judging.get());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  // A resumed session would skip the look at the revocation list's time.
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_cert_list(context, kChainBytesMax);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, on_certificate);
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
  return judge(*peer, trust.own.farm, serving, trust.revoked);
}

}  // namespace winnow::cluster
