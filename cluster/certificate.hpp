#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "cluster/role.hpp"

// OpenSSL's side of identities: keys are EC P-256, signatures ECDSA with SHA-256.

namespace winnow::cluster {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, FreeWith<X509_free>>;

/// What a certificate says about its holder.
struct Subject {
  std::string farm;
  Role role = Role::Node;
  std::string name;
  std::string serial;  ///< hexadecimal, upper case
  TimestampNs valid_from;
  TimestampNs valid_until;
};
/// Fails: InvalidInput (a certificate that no farm made).
Result<Subject> subject_of(const X509& certificate);
Result<Subject> subject_of_pem(std::string_view pem);

Result<KeyPtr> make_key();
Result<std::string> key_pem(EVP_PKEY& key);
Result<KeyPtr> read_key(std::string_view pem);
Result<std::string> certificate_pem(X509& certificate);
Result<CertificatePtr> read_certificate(std::string_view pem);

struct Validity {
  TimestampNs from;
  TimestampNs until;
};
struct Signer {
  X509* certificate = nullptr;
  EVP_PKEY* key = nullptr;
};
/// A root of trust named `FARM authority N`, signed by itself; or, with a signer, the link by which
/// those who only know the signer come to trust it.
Result<CertificatePtr> make_authority(std::string_view farm, int number, EVP_PKEY& key,
                                      const Validity& validity, const Signer* link);
struct Holder {
  std::string farm;
  Role role = Role::Node;
  std::string name;
};
Result<CertificatePtr> make_certificate(const Holder& holder, EVP_PKEY& key,
                                        const Validity& validity, const Signer& signer);

/// The PEM blocks of an identity file by what they are: a certificate signed by itself is an
/// authority. Fails: InvalidInput.
struct IdentityPem {
  std::string chain;
  std::string key;
  std::string authorities;
};
Result<IdentityPem> split_identity_pem(std::string_view text);

/// What OpenSSL last complained about.
std::string openssl_complaint();

}  // namespace winnow::cluster
