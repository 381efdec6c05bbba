#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <fake_aws/answer.hpp>

namespace fake_aws::ddb {

using json = nlohmann::json;

/// Thrown by whatever finds a request wanting, and caught where the request came in: the service looks at everything
/// before it does anything.
struct refused {
    answer said;
};

[[noreturn]] inline void refuse(std::string_view name, std::string_view message) {
    throw refused{refusal(name, message)};
}

[[noreturn]] inline void refuse_invalid(std::string_view message) { refuse("ValidationException", message); }

/// What follows the words that the service says of a wrong value.
[[noreturn]] inline void refuse_parameter(std::string_view message) {
    refuse_invalid("One or more parameter values were invalid: " + std::string{message});
}

[[noreturn]] inline void refuse_shape(std::string_view message) { refuse("SerializationException", message); }

} // namespace fake_aws::ddb
