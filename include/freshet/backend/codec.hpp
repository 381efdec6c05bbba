#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include <freshet/core/result.hpp>

namespace freshet {

/// A `codec` turns values into bytes that a store can keep, and back.
///
/// Laws:
///  1. `decode(encode(value))` equals the value.
///  2. `decode` refuses (`malformed`) what is no encoding of a value; it does not guess.
///  3. `version` is another one whenever the bytes of the codec before could be read as another value.
template <class C>
concept codec = requires(const C& c, const typename C::value_type& value, std::string_view bytes) {
    { C::version } -> std::convertible_to<std::uint32_t>;
    { c.encode(value) } -> std::same_as<std::string>;
    { c.decode(bytes) } -> std::same_as<result<typename C::value_type>>;
};

} // namespace freshet
