#pragma once

#include <array>
#include <string_view>

#include <openssl/evp.h>

namespace freshet_bench {

/// SHA-256 by OpenSSL, with the algorithm looked up and the context made once.
class openssl_digest {
public:
    openssl_digest() = default;
    openssl_digest(const openssl_digest&) = delete;
    auto operator=(const openssl_digest&) -> openssl_digest& = delete;
    ~openssl_digest() {
        EVP_MD_CTX_free(context_);
        EVP_MD_free(algorithm_);
    }

    [[nodiscard]] auto operator()(std::string_view text) -> std::array<unsigned char, 32> {
        std::array<unsigned char, 32> digest{};
        EVP_DigestInit_ex(context_, algorithm_, nullptr);
        EVP_DigestUpdate(context_, text.data(), text.size());
        EVP_DigestFinal_ex(context_, digest.data(), nullptr);
        return digest;
    }

private:
    EVP_MD* algorithm_ = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    EVP_MD_CTX* context_ = EVP_MD_CTX_new();
};

} // namespace freshet_bench
