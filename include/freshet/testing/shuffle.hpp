#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include <freshet/work/random_source.hpp>

namespace freshet::testing {

/// Puts the elements into a random order; the same numbers give the same order, on every machine.
template <class T>
void shuffle(std::span<T> elements, random_source& random) {
    for (auto left = elements.size(); left > 1; --left) {
        using std::swap;
        swap(elements[left - 1], elements[static_cast<std::size_t>(random() % left)]);
    }
}

} // namespace freshet::testing
