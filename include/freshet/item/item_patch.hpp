#pragma once

#include <algorithm>
#include <string>
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
    for (const auto& name : patch.remove) {
        if (set.find(name)) {
            return error{errc::malformed, "patch: sets and removes the attribute " + printable(name)};
        }
    }
    std::vector<attribute> after;
    for (const auto kept : before) {
        const bool removed = std::find(patch.remove.begin(), patch.remove.end(), kept.name()) != patch.remove.end();
        if (!removed && !set.find(kept.name())) { after.push_back(kept); }
    }
    for (const auto added : set) { after.push_back(added); }
    return document::parse(canonical_text(after));
}

} // namespace freshet
