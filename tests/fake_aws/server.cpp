#include <fake_aws/server.hpp>

// Compiled once: what a server does is a good part of a test's compilation.

namespace fake_aws {

server::server(std::function<freshet::time_point()> now, server_options options)
    : options_{std::move(options)},
      dynamodb_{now, options_.region},
      sqs_{std::move(now)},
      http_{[this](const support::http_request& request) { return answered(request); }, options_.port} {
    sqs_.set_endpoint(endpoint());
}

server::~server() = default;

} // namespace fake_aws
