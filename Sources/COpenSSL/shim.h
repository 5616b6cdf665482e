#pragma once
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

// Sequences of calls that belong together, so that Swift crosses the border once. Results: 1 done, 0 the data does not
// authenticate, -1 the library refused. No wrapper keeps a pointer.

/// Neither openssl.cnf nor a module of the system is read: what decrypts here does not depend on the machine.
static inline int miswire_start(void) {
    return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

/// A context that decrypts with `key`; no padding. NULL: refused.
static inline EVP_CIPHER_CTX *miswire_decryptor(const EVP_CIPHER *cipher, const unsigned char *key, int keyLength) {
    if (cipher == NULL || EVP_CIPHER_get_key_length(cipher) != keyLength) return NULL;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (context == NULL) return NULL;
    if (EVP_DecryptInit_ex(context, cipher, NULL, key, NULL) == 1 && EVP_CIPHER_CTX_set_padding(context, 0) == 1)
        return context;
    EVP_CIPHER_CTX_free(context);
    ERR_clear_error();
    return NULL;
}

/// AEAD with a nonce of 12 bytes and a tag of 16. `output` takes `length` bytes; they are worth nothing unless 1 comes back.
static inline int miswire_open(
    EVP_CIPHER_CTX *context, const unsigned char *nonce, const unsigned char *extra, int extraLength,
    const unsigned char *input, int length, const unsigned char *tag, unsigned char *output) {
    int written = 0, last = 0;
    unsigned char rest[16];
    int fine = EVP_DecryptInit_ex(context, NULL, NULL, NULL, nonce) == 1
        && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, (void *)tag) == 1
        && EVP_DecryptUpdate(context, NULL, &written, extra, extraLength) == 1;
    if (fine && length > 0) fine = EVP_DecryptUpdate(context, output, &written, input, length) == 1 && written == length;
    if (!fine) {
        ERR_clear_error();
        return -1;
    }
    if (EVP_DecryptFinal_ex(context, rest, &last) == 1) return 1;
    ERR_clear_error();
    return 0;
}

/// CBC over whole blocks. `output` takes `length` bytes.
static inline int miswire_decrypt_blocks(
    EVP_CIPHER_CTX *context, const unsigned char *vector, const unsigned char *input, int length, unsigned char *output) {
    int written = 0;
    if (EVP_DecryptInit_ex(context, NULL, NULL, NULL, vector) == 1
        && EVP_DecryptUpdate(context, output, &written, input, length) == 1 && written == length)
        return 1;
    ERR_clear_error();
    return -1;
}

/// A context that computes HMACs under `key`. NULL: refused.
static inline EVP_MAC_CTX *miswire_hmac(EVP_MAC *mac, const char *digest, const unsigned char *key, size_t keyLength) {
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    if (context == NULL) return NULL;
    OSSL_PARAM parameters[2] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0), OSSL_PARAM_construct_end()};
    if (EVP_MAC_init(context, key, keyLength, parameters) == 1) return context;
    EVP_MAC_CTX_free(context);
    ERR_clear_error();
    return NULL;
}

/// Whether `expected` is the HMAC of `head` followed by `body`.
static inline int miswire_verify(
    EVP_MAC_CTX *context, const unsigned char *head, size_t headLength, const unsigned char *body, size_t bodyLength,
    const unsigned char *expected, size_t expectedLength) {
    unsigned char computed[EVP_MAX_MD_SIZE];
    size_t written = 0;
    if (EVP_MAC_init(context, NULL, 0, NULL) != 1 || EVP_MAC_update(context, head, headLength) != 1
        || (bodyLength > 0 && EVP_MAC_update(context, body, bodyLength) != 1)
        || EVP_MAC_final(context, computed, &written, sizeof computed) != 1) {
        ERR_clear_error();
        return -1;
    }
    return written == expectedLength && CRYPTO_memcmp(computed, expected, written) == 0;
}

/// HKDF-Expand (RFC 5869).
static inline int miswire_expand(
    EVP_KDF *kdf, const char *digest, const unsigned char *key, size_t keyLength, const unsigned char *info,
    size_t infoLength, unsigned char *output, size_t outputLength) {
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    if (context == NULL) return -1;
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    OSSL_PARAM parameters[5] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key, keyLength),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, infoLength), OSSL_PARAM_construct_end()};
    int result = EVP_KDF_derive(context, output, outputLength, parameters) == 1 ? 1 : -1;
    EVP_KDF_CTX_free(context);
    if (result != 1) ERR_clear_error();
    return result;
}

/// The PRF of TLS 1.2 (RFC 5246 section 5); `seed` begins with the label.
static inline int miswire_prf(
    EVP_KDF *kdf, const char *digest, const unsigned char *secret, size_t secretLength, const unsigned char *seed,
    size_t seedLength, unsigned char *output, size_t outputLength) {
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    if (context == NULL) return -1;
    OSSL_PARAM parameters[4] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, (void *)secret, secretLength),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)seed, seedLength), OSSL_PARAM_construct_end()};
    int result = EVP_KDF_derive(context, output, outputLength, parameters) == 1 ? 1 : -1;
    EVP_KDF_CTX_free(context);
    if (result != 1) ERR_clear_error();
    return result;
}
