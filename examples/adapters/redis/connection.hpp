#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <sys/time.h>

#include <hiredis/hiredis.h>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/core/time.hpp>

#include <adapters/redis/reply.hpp>
#include <adapters/redis/settings.hpp>

namespace adapters::redis {

/// The way to one Redis server, for as many threads as want: each call has a socket for itself, taken from those that
/// rest or opened anew, so that there are as many as there were calls at once. Not to be used on both sides of a fork.
///
/// Nothing is repeated: after a failure of the way the outcome is unknown, and the next call connects again. Errors are
/// one line, `redis HOST:PORT: WHY`. No server, no answer in time, a server that loads or is busy: `unavailable`; see
/// `errc_of` for what a server says itself. A wrong password, or none where one is wanted, is `denied`.
class connection {
public:
    using is_shareable = void;
    using words = std::vector<std::string_view>;

    /// Connects when first called.
    explicit connection(settings where) : where_{std::move(where)} {}

    /// One command; the words are any bytes.
    [[nodiscard]] auto call(const words& command) const -> freshet::result<reply> { return checked(exchange(command)); }

    /// One run of a Lua script with these KEYS and ARGV; the script lasts as long as this object. It is sent when the
    /// server does not have it.
    [[nodiscard]] auto run(std::string_view script, const words& keys, const words& arguments) const
        -> freshet::result<reply> {
        const auto count = std::to_string(keys.size());
        std::string digest = known_digest(script);
        for (bool loaded = false;; loaded = true) {
            if (digest.empty()) {
                auto answer = call({"SCRIPT", "LOAD", script});
                if (!answer) { return answer; }
                digest = text_of(**answer).value_or("");
                const std::scoped_lock lock{guard_};
                digests_[script] = digest;
            }
            words command{"EVALSHA", digest, count};
            command.insert(command.end(), keys.begin(), keys.end());
            command.insert(command.end(), arguments.begin(), arguments.end());
            auto answer = exchange(command);
            if (loaded || !answer || !is_error(**answer, "NOSCRIPT ")) { return checked(std::move(answer)); }
            digest.clear();
        }
    }

private:
    struct close {
        void operator()(redisContext* of) const noexcept { redisFree(of); }
    };
    using link = std::unique_ptr<redisContext, close>;

    [[nodiscard]] auto about(const freshet::error& why) const -> freshet::error {
        return {why.code, "redis " + freshet::printable(where_.host) + ':' + std::to_string(where_.port) + ": " +
                              freshet::printable(why.note)};
    }

    [[nodiscard]] static auto is_error(const redisReply& of, std::string_view begin) -> bool {
        return of.type == REDIS_REPLY_ERROR &&
               std::string_view{of.str, static_cast<std::size_t>(of.len)}.starts_with(begin);
    }

    /// An answer that is an error as that error.
    [[nodiscard]] auto checked(freshet::result<reply> answer) const -> freshet::result<reply> {
        if (!answer || !is_error(**answer, "")) { return answer; }
        const std::string said{(*answer)->str, static_cast<std::size_t>((*answer)->len)};
        return about({errc_of(said), said});
    }

    [[nodiscard]] auto exchange(const words& command) const -> freshet::result<reply> {
        auto by = take();
        if (!by) { return by.why(); }
        auto answer = ask(**by, command);
        if (answer.ok()) {
            const std::scoped_lock lock{guard_};
            resting_.push_back(*std::move(by));
        }
        return answer;
    }

    /// A socket that rests, unless the server has ended it meanwhile; else a new one.
    [[nodiscard]] auto take() const -> freshet::result<link> {
        for (;;) {
            link taken;
            {
                const std::scoped_lock lock{guard_};
                if (resting_.empty()) { break; }
                taken = std::move(resting_.back());
                resting_.pop_back();
            }
            char byte{};
            const auto read = ::recv(taken->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
            if (read < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) { return taken; }
        }
        return connect();
    }

    [[nodiscard]] auto connect() const -> freshet::result<link> {
        link made{redisConnectWithTimeout(where_.host.c_str(), where_.port, span_of(where_.connect_timeout))};
        if (!made) { return about({freshet::errc::unavailable, "no memory to connect"}); }
        if (made->err != 0) { return lost(*made, where_.connect_timeout); }
        if (redisSetTimeout(made.get(), span_of(where_.answer_timeout)) != REDIS_OK) {
            return lost(*made, where_.answer_timeout);
        }
        if (!where_.password.empty()) {
            if (auto let_in = checked(ask(*made, {"AUTH", where_.password})); !let_in) { return let_in.why(); }
        }
        if (where_.database != 0) {
            auto chosen = checked(ask(*made, {"SELECT", std::to_string(where_.database)}));
            if (!chosen) { return chosen.why(); }
        }
        return made;
    }

    [[nodiscard]] auto ask(redisContext& by, const words& command) const -> freshet::result<reply> {
        std::string request = '*' + std::to_string(command.size()) + "\r\n";
        for (const auto word : command) {
            ((request += '$') += std::to_string(word.size())).append("\r\n").append(word).append("\r\n");
        }
        // Not hiredis's own sending: a server that has ended would end this process, by SIGPIPE.
        for (std::string_view rest{request}; !rest.empty();) {
            const auto sent = ::send(by.fd, rest.data(), rest.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) { continue; }
            if (sent < 0) {
                by.err = REDIS_ERR_IO;
                return lost(by, where_.answer_timeout);
            }
            rest.remove_prefix(static_cast<std::size_t>(sent));
        }
        void* answer = nullptr;
        if (redisGetReply(&by, &answer) != REDIS_OK) { return lost(by, where_.answer_timeout); }
        return reply{static_cast<redisReply*>(answer)};
    }

    /// Why nothing came; to be asked at once.
    [[nodiscard]] auto lost(const redisContext& by, freshet::duration patience) const -> freshet::error {
        const auto code = errno;
        std::string why{by.errstr};
        if (by.err == REDIS_ERR_IO && (code == EAGAIN || code == EWOULDBLOCK || code == ETIMEDOUT)) {
            const auto ms = std::chrono::ceil<std::chrono::milliseconds>(patience).count();
            why = "no answer within " + std::to_string(ms) + " ms";
        } else if (why.empty()) {
            why = "the connection broke";
        }
        return about({freshet::errc::unavailable, why});
    }

    [[nodiscard]] static auto span_of(freshet::duration patience) -> timeval {
        using namespace std::chrono;
        const auto span = std::clamp<freshet::duration>(patience, milliseconds{1}, hours{24}); // zero were for ever
        return {.tv_sec = static_cast<time_t>(span / seconds{1}),
                .tv_usec = static_cast<suseconds_t>(span % seconds{1} / microseconds{1})};
    }

    [[nodiscard]] auto known_digest(std::string_view script) const -> std::string {
        const std::scoped_lock lock{guard_};
        const auto at = digests_.find(script);
        return at == digests_.end() ? std::string{} : at->second;
    }

    settings where_;
    mutable std::mutex guard_;
    mutable std::vector<link> resting_;
    mutable std::map<std::string_view, std::string> digests_; // what the server calls the scripts, always the same
};

} // namespace adapters::redis
