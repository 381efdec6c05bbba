#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <freshet/core/printable.hpp>
#include <freshet/core/result.hpp>
#include <freshet/item/attribute.hpp>
#include <freshet/item/canonical_text.hpp>
#include <freshet/item/document.hpp>

namespace freshet {

/// What becomes of an item's top-level attributes: those in `set` are added or replaced as wholes, those named in
/// `remove` are taken away (also where there are none), all others stay.
struct item_patch {
    document set;
    std::vector<std::string> remove;
};

/// The item after the patch, as canonical text; `before` may be an item without attributes.
///
/// A patch that sets and removes the same attribute is `malformed`.
[[nodiscard]] inline auto patched(const image& before, const item_patch& patch) -> result<document> {
    const auto set = patch.set.image();
    std::vector<std::string_view> named{patch.remove.begin(), patch.remove.end()};
    std::sort(named.begin(), named.end());
    for (const auto added : set) {
        if (std::binary_search(named.begin(), named.end(), added.name())) {
            return error{errc::malformed, "patch: sets and removes the attribute " + printable(added.name())};
        }
    }
    for (const auto added : set) { named.push_back(added.name()); }
    std::sort(named.begin(), named.end());
    std::vector<attribute> after;
    for (const auto kept : before) {
        if (!std::binary_search(named.begin(), named.end(), kept.name())) { after.push_back(kept); }
    }
    for (const auto added : set) { after.push_back(added); }
    return document::parse(canonical_text(after));
}

} // namespace freshet
