#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstddef>
#include <ctime>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <curl/curl.h>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

namespace adapters::aws {

/// How a request is signed: AWS Signature Version 4, by libcurl.
struct http_signature {
    std::string scope; ///< `aws:amz:<region>:<service>`
    std::string access_key;
    std::string secret_key;
};

/// A request; the body and the signature are borrowed for the time of the call.
struct http_request {
    std::string url;
    std::string method{"GET"};          ///< `GET` or `POST`
    std::vector<std::string> headers{}; ///< `Name: value`; where the request is signed, so are they
    std::string_view body{};            ///< of a POST
    const http_signature* signature{};
};

struct http_response {
    int status{};
    std::vector<std::pair<std::string, std::string>> headers{}; ///< as they came
    std::string body{};

    /// The first header of this name, in whatever case; empty where there is none.
    [[nodiscard]] auto header(std::string_view name) const -> std::string_view {
        const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
        const auto same = [&](char a, char b) { return lower(a) == lower(b); };
        for (const auto& [key, value] : headers) {
            if (std::equal(key.begin(), key.end(), name.begin(), name.end(), same)) { return value; }
        }
        return {};
    }
};

struct http_options {
    freshet::duration connect_timeout{std::chrono::seconds{3}};
    freshet::duration total_timeout{};                     ///< zero: none
    std::size_t most_bytes{std::size_t{64} * 1024 * 1024}; ///< of a response's body
    std::string ca_bundle{};                               ///< a file of certificates to trust; empty: libcurl's own
    bool proxies{true}; ///< whether the environment's proxies are used; for loopback addresses they never are
};

/// What a transfer that failed means to its caller, in words; `detail` is libcurl's own message.
///
/// `unavailable` where nothing came, or not all; `denied` where a person must change the address or a certificate.
[[nodiscard]] inline auto transfer_failure(CURLcode code, std::string_view detail) -> freshet::error {
    using freshet::errc;
    const auto with = [&](errc reaction, std::string_view what) {
        std::string note{what};
        const std::string_view why = detail.empty() ? std::string_view{curl_easy_strerror(code)} : detail;
        return freshet::error{reaction, note.append(" (").append(freshet::printable(why)).append(")")};
    };
    switch (code) {
        case CURLE_COULDNT_CONNECT: return with(errc::unavailable, "nothing answers there");
        case CURLE_COULDNT_RESOLVE_HOST: return with(errc::unavailable, "the name does not resolve");
        case CURLE_COULDNT_RESOLVE_PROXY: return with(errc::unavailable, "the proxy's name does not resolve");
        case CURLE_OPERATION_TIMEDOUT: return with(errc::unavailable, "no answer in time");
        case CURLE_PARTIAL_FILE:
        case CURLE_GOT_NOTHING:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR: return with(errc::unavailable, "the connection broke before the whole answer came");
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_ISSUER_ERROR: return with(errc::denied, "TLS: the certificate is not accepted");
        case CURLE_SSL_CONNECT_ERROR:
            return with(errc::unavailable, "TLS: no secure connection; is the address one of https?");
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL: return with(errc::denied, "no usable address");
        case CURLE_UNKNOWN_OPTION:
        case CURLE_NOT_BUILT_IN: return with(errc::denied, "this libcurl cannot do what is needed");
        default: return with(errc::unavailable, "the transfer failed");
    }
}

namespace detail {

/// Keeps SIGPIPE from the thread for its lifetime: a TLS connection that the peer closed must not end the process.
class without_broken_pipe {
public:
    without_broken_pipe() {
        sigemptyset(&pipe_);
        sigaddset(&pipe_, SIGPIPE);
        sigset_t waiting;
        sigpending(&waiting);
        was_pending_ = sigismember(&waiting, SIGPIPE) == 1;
        pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    ~without_broken_pipe() {
        const std::timespec at_once{};
        if (!was_pending_) { sigtimedwait(&pipe_, nullptr, &at_once); }
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    without_broken_pipe(const without_broken_pipe&) = delete;
    auto operator=(const without_broken_pipe&) -> without_broken_pipe& = delete;

private:
    sigset_t pipe_{};
    sigset_t before_{};
    bool was_pending_{};
};

struct easy_cleanup {
    void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
struct multi_cleanup {
    void operator()(CURLM* handle) const noexcept { curl_multi_cleanup(handle); }
};
struct list_cleanup {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

/// One transfer at a time, over a connection that stays open between them.
class http_line {
public:
    http_line() : multi_{curl_multi_init()}, easy_{curl_easy_init()} {
        if (multi_ == nullptr || easy_ == nullptr) { freshet::abort_on_misuse("libcurl gives no handle"); }
    }

    [[nodiscard]] auto call(const http_request& request, const http_options& options, const std::stop_token& stop)
        -> freshet::result<http_response> {
        const without_broken_pipe quiet;
        arriving got{.response = {}, .most_bytes = options.most_bytes, .too_long = false};
        const std::unique_ptr<curl_slist, list_cleanup> headers{list_of(request.headers)};
        curl_easy_reset(easy_.get());
        message_.fill('\0');
        set(CURLOPT_ERRORBUFFER, message_.data());
        prepare(request, options, headers.get(), got);
        const auto code = perform(stop);
        if (stopped(stop, code)) { return freshet::error{freshet::errc::expired, "broken off: a stop was asked for"}; }
        if (got.too_long) {
            return freshet::error{
                freshet::errc::denied,
                "the answer is longer than " + std::to_string(options.most_bytes) + " bytes, and was broken off"};
        }
        if (code != CURLE_OK) { return transfer_failure(code, message_.data()); }
        auto status = 0L;
        curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
        got.response.status = static_cast<int>(status);
        return std::move(got.response);
    }

private:
    struct arriving {
        http_response response;
        std::size_t most_bytes;
        bool too_long;
        std::size_t header_bytes{};
    };

    template <class Value>
    void set(CURLoption option, Value value) {
        if (const auto code = curl_easy_setopt(easy_.get(), option, value); code != CURLE_OK && refused_ == CURLE_OK) {
            refused_ = code;
        }
    }

    void prepare(const http_request& request, const http_options& options, curl_slist* headers, arriving& got) {
        refused_ = CURLE_OK;
        set(CURLOPT_URL, request.url.c_str());
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_FOLLOWLOCATION, 0L);
        set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
        set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
        set(CURLOPT_TCP_KEEPALIVE, 1L);
        set(CURLOPT_USERAGENT, "freshet");
        set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(options.connect_timeout));
        set(CURLOPT_TIMEOUT_MS, milliseconds(options.total_timeout));
        // libcurl asks before it sends a long body, with a header that it does not sign; waiting for the answer is idle
        set(CURLOPT_EXPECT_100_TIMEOUT_MS, 1L);
        if (!options.ca_bundle.empty()) { set(CURLOPT_CAINFO, options.ca_bundle.c_str()); }
        if (!options.proxies || is_loopback(request.url)) { set(CURLOPT_PROXY, ""); }
        set(CURLOPT_HTTPHEADER, headers);
        if (request.method == "POST") {
            set(CURLOPT_POST, 1L);
            set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
            set(CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
        }
        if (request.signature != nullptr) {
            set(CURLOPT_AWS_SIGV4, request.signature->scope.c_str());
            set(CURLOPT_USERNAME, request.signature->access_key.c_str());
            set(CURLOPT_PASSWORD, request.signature->secret_key.c_str());
        }
        set(CURLOPT_WRITEFUNCTION, &take_body);
        set(CURLOPT_WRITEDATA, &got);
        set(CURLOPT_HEADERFUNCTION, &take_header);
        set(CURLOPT_HEADERDATA, &got);
    }

    /// Drives the transfer to its end, or until a stop, which wakes it at once.
    [[nodiscard]] auto perform(const std::stop_token& stop) -> CURLcode {
        if (refused_ != CURLE_OK) { return refused_; }
        const std::stop_callback wake{stop, [this] { curl_multi_wakeup(multi_.get()); }};
        if (curl_multi_add_handle(multi_.get(), easy_.get()) != CURLM_OK) { return CURLE_FAILED_INIT; }
        auto done = CURLE_ABORTED_BY_CALLBACK;
        auto running = 1;
        while (running != 0 && !stop.stop_requested()) {
            if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) { break; }
            if (running != 0) { curl_multi_poll(multi_.get(), nullptr, 0, 1000, nullptr); }
        }
        auto left = 0;
        while (const auto* said = curl_multi_info_read(multi_.get(), &left)) {
            if (said->msg == CURLMSG_DONE) { done = said->data.result; }
        }
        curl_multi_remove_handle(multi_.get(), easy_.get());
        return done;
    }

    [[nodiscard]] static auto stopped(const std::stop_token& stop, CURLcode code) -> bool {
        return code == CURLE_ABORTED_BY_CALLBACK && stop.stop_requested();
    }

    static auto take_body(char* bytes, std::size_t, std::size_t count, void* to) -> std::size_t {
        auto& got = *static_cast<arriving*>(to);
        got.too_long = got.too_long || count > got.most_bytes - got.response.body.size();
        if (got.too_long) { return 0; }
        got.response.body.append(bytes, count);
        return count;
    }

    static auto take_header(char* bytes, std::size_t, std::size_t count, void* to) -> std::size_t {
        auto& got = *static_cast<arriving*>(to);
        std::string_view line{bytes, count};
        got.header_bytes += count;
        if (got.header_bytes > most_header_bytes) {
            got.too_long = true;
            return 0;
        }
        while (line.ends_with('\n') || line.ends_with('\r') || line.ends_with(' ')) { line.remove_suffix(1); }
        if (line.starts_with("HTTP/")) { got.response.headers.clear(); } // before were a proxy's, or "100 Continue"
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) { return count; }
        auto value = line.substr(colon + 1);
        while (value.starts_with(' ') || value.starts_with('\t')) { value.remove_prefix(1); }
        got.response.headers.emplace_back(line.substr(0, colon), value);
        return count;
    }

    [[nodiscard]] static auto milliseconds(freshet::duration span) -> long {
        if (span <= freshet::duration::zero()) { return 0; }
        const auto whole = std::chrono::ceil<std::chrono::milliseconds>(span).count();
        return static_cast<long>(std::min<std::chrono::milliseconds::rep>(whole, INT_MAX));
    }

    [[nodiscard]] static auto list_of(const std::vector<std::string>& lines) -> curl_slist* {
        curl_slist* list = nullptr;
        for (const auto& line : lines) { list = curl_slist_append(list, line.c_str()); }
        return list;
    }

    [[nodiscard]] static auto is_loopback(std::string_view url) -> bool {
        const auto start = url.find("://");
        auto host = start == std::string_view::npos ? url : url.substr(start + 3);
        host = host.substr(0, host.find_first_of("/?#"));
        if (host.starts_with("[::1]")) { return true; }
        host = host.substr(0, host.find(':'));
        return host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.");
    }

    static constexpr std::size_t most_header_bytes = 1024 * 1024;

    std::array<char, CURL_ERROR_SIZE> message_{};
    std::unique_ptr<CURLM, multi_cleanup> multi_;
    std::unique_ptr<CURL, easy_cleanup> easy_; // goes before what it was added to
    CURLcode refused_{CURLE_OK};
};

} // namespace detail

/// Plain HTTP/1.1 over libcurl, on connections that are kept and used again; any thread may call.
///
/// A line is used by one call at a time; there are as many as calls at once, and they stay until the object goes. A
/// request on a kept connection that turns out to be closed is sent again by libcurl on a new one. Redirects are not
/// followed: they are answers. Not to be used in a child of the process that made it.
class http_lines {
public:
    using is_shareable = void;

    explicit http_lines(http_options options = {}) : options_{std::move(options)} {
        static const auto begun = curl_global_init(CURL_GLOBAL_DEFAULT);
        if (begun != CURLE_OK) { freshet::abort_on_misuse("libcurl does not start"); }
    }

    /// The whole answer, whatever its status; the error of `transfer_failure` where there is none.
    ///
    /// A stop breaks the call off at once, also while nothing arrives, and is `expired`. An answer longer than
    /// `most_bytes` is broken off and `denied`: something else answers there.
    [[nodiscard]] auto call(const http_request& request, const std::stop_token& stop = {}) const
        -> freshet::result<http_response> {
        auto line = take();
        auto answer = line->call(request, options_, stop);
        const std::scoped_lock lock{mutex_};
        idle_.push_back(std::move(line));
        return answer;
    }

private:
    [[nodiscard]] auto take() const -> std::unique_ptr<detail::http_line> {
        const std::scoped_lock lock{mutex_};
        if (idle_.empty()) { return std::make_unique<detail::http_line>(); }
        auto line = std::move(idle_.back());
        idle_.pop_back();
        return line;
    }

    http_options options_;
    mutable std::mutex mutex_;
    mutable std::vector<std::unique_ptr<detail::http_line>> idle_;
};

} // namespace adapters::aws
