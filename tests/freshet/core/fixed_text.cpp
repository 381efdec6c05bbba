#include <freshet/core/fixed_text.hpp>

#include <string_view>
#include <type_traits>

#include <doctest/doctest.h>

namespace {

template <freshet::fixed_text Text>
struct labelled {
    static constexpr std::string_view label = Text.view();
};

} // namespace

static_assert(labelled<"IMAGE#{id}">::label == "IMAGE#{id}");
static_assert(std::is_same_v<labelled<"a">, labelled<"a">> && !std::is_same_v<labelled<"a">, labelled<"b">>);
static_assert(labelled<"">::label.empty());
static_assert(labelled<"a\0b">::label.size() == 3); // a NUL in the middle belongs to the text
static_assert(freshet::fixed_text{"abc"}.size() == 3);
static_assert(freshet::fixed_text{"abc"} == freshet::fixed_text{"abc"});
static_assert(!(freshet::fixed_text{"abc"} == freshet::fixed_text{"abcd"}));

TEST_CASE("a literal given as a template argument is read at run time as it was written") {
    CHECK(labelled<"RECEIPT#{receipt_id:05d}">::label == "RECEIPT#{receipt_id:05d}");
}
