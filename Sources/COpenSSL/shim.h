#pragma once
// OpenSSL's function-like macros are invisible to Swift; each one used stands here as an inline function.
#include <openssl/bio.h>
#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static inline void postern_bio_clear_retry(BIO *b) { BIO_clear_retry_flags(b); }
static inline void postern_bio_retry_read(BIO *b) { BIO_set_retry_read(b); }
static inline void postern_bio_retry_write(BIO *b) { BIO_set_retry_write(b); }

static inline int postern_ctx_set_min_version(SSL_CTX *c, int v) { return (int)SSL_CTX_set_min_proto_version(c, v); }
static inline int postern_ctx_set_max_version(SSL_CTX *c, int v) { return (int)SSL_CTX_set_max_proto_version(c, v); }
static inline void postern_ctx_set_mode(SSL_CTX *c, long m) { (void)SSL_CTX_set_mode(c, m); }
static inline int postern_ctx_set_groups(SSL_CTX *c, const char *l) { return (int)SSL_CTX_set1_groups_list(c, l); }
static inline int postern_ctx_set_sigalgs(SSL_CTX *c, const char *l) { return (int)SSL_CTX_set1_sigalgs_list(c, l); }
static inline int postern_ctx_add_chain(SSL_CTX *c, X509 *x) { return (int)SSL_CTX_add1_chain_cert(c, x); }
static inline void postern_ctx_set_max_cert_list(SSL_CTX *c, long n) { (void)SSL_CTX_set_max_cert_list(c, n); }
static inline void postern_ctx_set_cache_mode(SSL_CTX *c, long m) { (void)SSL_CTX_set_session_cache_mode(c, m); }
static inline void postern_ctx_set_server_name_callback(SSL_CTX *c, int (*f)(SSL *, int *, void *)) {
    (void)SSL_CTX_set_tlsext_servername_callback(c, f);
}
static inline void postern_ctx_set_msg_argument(SSL_CTX *c, void *a) { (void)SSL_CTX_set_msg_callback_arg(c, a); }
/* The NID of the group, or TLSEXT_nid_unknown and its number in the TLS registry. */
static inline int postern_ssl_group(SSL *s) { return (int)SSL_get_negotiated_group(s); }
static inline int postern_ssl_set_server_name(SSL *s, const char *name) { return (int)SSL_set_tlsext_host_name(s, name); }

static inline STACK_OF(X509) *postern_certs_new(void) { return sk_X509_new_null(); }
static inline int postern_certs_push(STACK_OF(X509) *s, X509 *x) { return sk_X509_push(s, x); }
static inline int postern_certs_count(const STACK_OF(X509) *s) { return sk_X509_num(s); }
static inline X509 *postern_certs_at(const STACK_OF(X509) *s, int i) { return sk_X509_value(s, i); }
/* Frees the stack and gives back its reference to each certificate. */
static inline void postern_certs_free(STACK_OF(X509) *s) { sk_X509_pop_free(s, X509_free); }
static inline int postern_err_lib(unsigned long e) { return ERR_GET_LIB(e); }
static inline int postern_err_reason(unsigned long e) { return ERR_GET_REASON(e); }

/* What a provider can do with one of its ciphers (provider-cipher(7)). */
typedef struct {
    OSSL_FUNC_cipher_newctx_fn *newctx;
    OSSL_FUNC_cipher_freectx_fn *freectx;
    OSSL_FUNC_cipher_encrypt_init_fn *encrypt_init;
    OSSL_FUNC_cipher_decrypt_init_fn *decrypt_init;
    OSSL_FUNC_cipher_update_fn *update;
    OSSL_FUNC_cipher_final_fn *final;
    OSSL_FUNC_cipher_get_ctx_params_fn *get_ctx_params;
} postern_aead;
/* Returns 1 when nothing is missing. */
static inline int postern_aead_load(postern_aead *a, const OSSL_DISPATCH *table) {
    *a = (postern_aead){0};
    for (; table->function_id != 0; table++) {
        switch (table->function_id) {
        case OSSL_FUNC_CIPHER_NEWCTX: a->newctx = OSSL_FUNC_cipher_newctx(table); break;
        case OSSL_FUNC_CIPHER_FREECTX: a->freectx = OSSL_FUNC_cipher_freectx(table); break;
        case OSSL_FUNC_CIPHER_ENCRYPT_INIT: a->encrypt_init = OSSL_FUNC_cipher_encrypt_init(table); break;
        case OSSL_FUNC_CIPHER_DECRYPT_INIT: a->decrypt_init = OSSL_FUNC_cipher_decrypt_init(table); break;
        case OSSL_FUNC_CIPHER_UPDATE: a->update = OSSL_FUNC_cipher_update(table); break;
        case OSSL_FUNC_CIPHER_FINAL: a->final = OSSL_FUNC_cipher_final(table); break;
        case OSSL_FUNC_CIPHER_GET_CTX_PARAMS: a->get_ctx_params = OSSL_FUNC_cipher_get_ctx_params(table); break;
        }
    }
    return a->newctx && a->freectx && a->encrypt_init && a->decrypt_init && a->update && a->final && a->get_ctx_params;
}

/* Lists of parameters, which are made of such macros; each is read before the call ends. */
static inline int postern_aead_begin_opening(
    const postern_aead *a, void *c, const void *nonce, size_t nonce_count, const void *tag, size_t tag_count) {
    OSSL_PARAM list[] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, (void *)tag, tag_count), OSSL_PARAM_END};
    return a->decrypt_init(c, NULL, 0, (const unsigned char *)nonce, nonce_count, list);
}
static inline int postern_aead_get_tag(const postern_aead *a, void *c, void *tag, size_t count) {
    OSSL_PARAM list[] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, count), OSSL_PARAM_END};
    return a->get_ctx_params(c, list);
}
/* HKDF-Expand; the context forgets the secret. */
static inline int postern_hkdf_expand(
    EVP_KDF_CTX *c, const char *digest, const void *secret, size_t secret_count, const void *info, size_t info_count,
    void *out, size_t out_count) {
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    OSSL_PARAM list[] = {
        OSSL_PARAM_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)digest, 0),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, secret_count),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, info_count),
        OSSL_PARAM_END,
    };
    int status = EVP_KDF_derive(c, (unsigned char *)out, out_count, list);
    EVP_KDF_CTX_reset(c);
    return status;
}

/* NULL if the provider does not say. */
static inline const char *postern_provider_version(const OSSL_PROVIDER *p) {
    char *version = NULL;
    OSSL_PARAM list[] = {OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_VERSION, &version, 0), OSSL_PARAM_END};
    return OSSL_PROVIDER_get_params(p, list) == 1 ? version : NULL;
}

static const uint64_t postern_init_no_atexit = OPENSSL_INIT_NO_ATEXIT;
/* SSL_OP_* are shifts of a cast, which Swift does not import. */
static const uint64_t postern_op_no_renegotiation = SSL_OP_NO_RENEGOTIATION;
static const uint64_t postern_op_no_compression = SSL_OP_NO_COMPRESSION;
static const uint64_t postern_op_no_ticket = SSL_OP_NO_TICKET;
/* Certificate compression (RFC 8879), which OpenSSL has from 3.2 on; before, these bits mean nothing. */
static const uint64_t postern_op_no_certificate_compression = (uint64_t)1 << 32 | (uint64_t)1 << 33;
static const uint64_t postern_op_cipher_server_preference = SSL_OP_CIPHER_SERVER_PREFERENCE;
