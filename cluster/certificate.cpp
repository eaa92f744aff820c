#include "cluster/certificate.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>

namespace winnow::cluster {
namespace {

using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using NumberPtr = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;

Error broken(std::string_view what) {
  return Error(ErrorCode::Internal, std::string(what) + ": " + openssl_complaint());
}

BioPtr reader(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string text_of(BIO& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(&bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::string name_entry(const X509_NAME* name, int nid) {
  std::array<char, 128> text{};
  const int n = X509_NAME_get_text_by_NID(name, nid, text.data(), static_cast<int>(text.size()));
  return n > 0 ? std::string(text.data(), static_cast<std::size_t>(n)) : std::string();
}

bool add_entry(X509_NAME* name, const char* field, std::string_view value) {
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

bool add_extension(X509& certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, &certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension != nullptr && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

bool set_serial(X509& certificate) {
  std::array<unsigned char, 16> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) return false;
  random[0] = static_cast<unsigned char>((random[0] & 0x3f) | 0x40);  // positive, always 16 bytes
  const NumberPtr number(BN_bin2bn(random.data(), static_cast<int>(random.size()), nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

bool set_time(ASN1_TIME* field, TimestampNs t) {
  return ASN1_TIME_set(field, static_cast<time_t>(t.ns / 1'000'000'000)) != nullptr;
}

/// All that authorities and the others have in common.
CertificatePtr begin(EVP_PKEY& key, const Validity& validity) {
  CertificatePtr made(X509_new());
  const bool ok = made != nullptr && X509_set_version(made.get(), 2) == 1 && set_serial(*made) &&
                  set_time(X509_getm_notBefore(made.get()), validity.from) &&
                  set_time(X509_getm_notAfter(made.get()), validity.until) &&
                  X509_set_pubkey(made.get(), &key) == 1;
  return ok ? std::move(made) : nullptr;
}

}  // namespace

std::string openssl_complaint() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

Result<KeyPtr> make_key() {
  KeyPtr key(EVP_EC_gen("P-256"));
  if (key == nullptr) return broken("cannot make a key");
  return key;
}

Result<std::string> key_pem(EVP_PKEY& key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!PEM_write_bio_PKCS8PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr)) {
    return broken("cannot write a key");
  }
  return text_of(*bio);
}

Result<KeyPtr> read_key(std::string_view pem) {
  const BioPtr bio = reader(pem);
  // An encrypted key must not ask on the terminal.
  KeyPtr key(PEM_read_bio_PrivateKey(
      bio.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr));
  if (key != nullptr) return key;
  return Error(ErrorCode::InvalidInput, "no private key: " + openssl_complaint());
}

Result<std::string> certificate_pem(X509& certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), &certificate) != 1) return broken("cannot write a certificate");
  return text_of(*bio);
}

Result<CertificatePtr> read_certificate(std::string_view pem) {
  const BioPtr bio = reader(pem);
  CertificatePtr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (certificate != nullptr) return certificate;
  return Error(ErrorCode::InvalidInput, "no certificate: " + openssl_complaint());
}

namespace {

/// 0 if it is none.
TimestampNs time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return {static_cast<std::int64_t>(timegm(&parts)) * 1'000'000'000};
}

}  // namespace

Result<Subject> subject_of(const X509& certificate) {
  const X509_NAME* name = X509_get_subject_name(&certificate);
  Subject subject;
  subject.farm = name_entry(name, NID_organizationName);
  subject.name = name_entry(name, NID_commonName);
  const auto role = parse_role(name_entry(name, NID_organizationalUnitName));
  if (!role || subject.farm.empty() || subject.name.empty()) {
    return Error(ErrorCode::InvalidInput,
                 "a certificate that no farm made: it names no farm, role "
                 "and holder");
  }
  subject.role = *role;
  const NumberPtr number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr));
  if (number != nullptr) {
    char* hex = BN_bn2hex(number.get());
    if (hex != nullptr) subject.serial = hex;
    OPENSSL_free(hex);
  }
  subject.valid_from = time_of(X509_get0_notBefore(&certificate));
  subject.valid_until = time_of(X509_get0_notAfter(&certificate));
  return subject;
}

Result<Subject> subject_of_pem(std::string_view pem) {
  const auto certificate = read_certificate(pem);
  if (!certificate) return certificate.error();
  return subject_of(**certificate);
}

Result<CertificatePtr> make_authority(std::string_view farm, int number, EVP_PKEY& key,
                                      const Validity& validity, const Signer* link) {
  CertificatePtr made = begin(key, validity);
  if (made == nullptr) return broken("cannot make an authority");
  X509_NAME* name = X509_get_subject_name(made.get());
  X509* const issuer = link != nullptr ? link->certificate : made.get();
  const std::string constraints =
      link != nullptr ? "critical,CA:TRUE,pathlen:0" : "critical,CA:TRUE";
  const bool ok =
      add_entry(name, "O", farm) &&
      add_entry(name, "CN", std::string(farm) + " authority " + std::to_string(number)) &&
      X509_set_issuer_name(made.get(), X509_get_subject_name(issuer)) == 1 &&
      add_extension(*made, issuer, NID_basic_constraints, constraints) &&
      add_extension(*made, issuer, NID_key_usage, "critical,keyCertSign,cRLSign") &&
      add_extension(*made, issuer, NID_subject_key_identifier, "hash") &&
      add_extension(*made, issuer, NID_authority_key_identifier, "keyid:always") &&
      X509_sign(made.get(), link != nullptr ? link->key : &key, EVP_sha256()) > 0;
  if (!ok) return broken("cannot make an authority");
  return made;
}

Result<CertificatePtr> make_certificate(const Holder& holder, EVP_PKEY& key,
                                        const Validity& validity, const Signer& signer) {
  CertificatePtr made = begin(key, validity);
  if (made == nullptr) return broken("cannot make a certificate");
  X509_NAME* name = X509_get_subject_name(made.get());
  // The door checks the role; the extended usage keeps a stolen node key from answering as one even
  // to programs that only know TLS.
  const std::string usage = holder.role == Role::Coordinator ? "serverAuth" : "clientAuth";
  X509* const issuer = signer.certificate;
  const bool ok = add_entry(name, "O", holder.farm) &&
                  add_entry(name, "OU", role_name(holder.role)) &&
                  add_entry(name, "CN", holder.name) &&
                  X509_set_issuer_name(made.get(), X509_get_subject_name(issuer)) == 1 &&
                  add_extension(*made, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
                  add_extension(*made, issuer, NID_key_usage, "critical,digitalSignature") &&
                  add_extension(*made, issuer, NID_ext_key_usage, usage) &&
                  add_extension(*made, issuer, NID_subject_key_identifier, "hash") &&
                  add_extension(*made, issuer, NID_authority_key_identifier, "keyid:always") &&
                  X509_sign(made.get(), signer.key, EVP_sha256()) > 0;
  if (!ok) return broken("cannot make a certificate");
  return made;
}

Result<IdentityPem> split_identity_pem(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kEnd = "-----END ";
  IdentityPem parts;
  for (std::size_t at = text.find(kBegin); at != std::string_view::npos;
       at = text.find(kBegin, at)) {
    const std::size_t end = text.find(kEnd, at);
    const std::size_t line = end == std::string_view::npos ? end : text.find('\n', end);
    if (line == std::string_view::npos) {
      return Error(ErrorCode::InvalidInput, "the file ends within a PEM block");
    }
    const std::string block(text.substr(at, line + 1 - at));
    at = line;
    if (block.find("PRIVATE KEY-----") < block.find('\n')) {
      parts.key += block;
      continue;
    }
    const auto certificate = read_certificate(block);
    if (!certificate) return certificate.error();
    const bool own = X509_NAME_cmp(X509_get_subject_name(certificate->get()),
                                   X509_get_issuer_name(certificate->get())) == 0;
    (own ? parts.authorities : parts.chain) += block;
  }
  if (parts.chain.empty() || parts.key.empty() || parts.authorities.empty()) {
    return Error(ErrorCode::InvalidInput,
                 "a certificate, its private key or the farm's authority is missing");
  }
  return parts;
}

}  // namespace winnow::cluster
