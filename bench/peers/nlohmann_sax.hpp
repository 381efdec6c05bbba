#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <peers/checksum.hpp>

namespace freshet_bench {

/// Follows an event through nlohmann's SAX parser, which decodes every text and keeps none.
class sax_checksum final : public nlohmann::json_sax<nlohmann::json> {
public:
    [[nodiscard]] auto sum() const -> const checksum& { return sum_; }
    void restart() {
        sum_ = {};
        open_.clear();
    }

    auto null() -> bool override { return true; }
    auto boolean(bool) -> bool override { return true; }
    auto number_integer(number_integer_t) -> bool override { return true; }
    auto number_unsigned(number_unsigned_t) -> bool override { return true; }
    auto number_float(number_float_t, const string_t&) -> bool override { return true; }
    auto binary(binary_t&) -> bool override { return true; }
    auto parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) -> bool override {
        return false;
    }

    auto string(string_t& text) -> bool override {
        if (within() == place::change && key_ == "SequenceNumber") { sum_.add_sequence(text); }
        if (within() == place::value || within() == place::set) { sum_.text_bytes += text.size(); }
        return true;
    }
    auto key(string_t& name) -> bool override {
        if (within() == place::image) { ++sum_.attributes; }
        if (within() == place::image || within() == place::map) { sum_.text_bytes += name.size(); }
        key_ = name;
        return true;
    }
    auto start_object(std::size_t) -> bool override {
        auto entered = place::other;
        switch (within()) {
            case place::outside: entered = place::event; break;
            case place::records: entered = place::record, ++sum_.records; break;
            case place::record: entered = key_ == "dynamodb" ? place::change : place::other; break;
            case place::change:
                entered = key_ == "Keys" || key_ == "NewImage" || key_ == "OldImage" ? place::image : place::other;
                break;
            case place::image:
            case place::map:
            case place::list: entered = place::value; break;
            case place::value: entered = place::map; break;
            default: break;
        }
        open_.push_back(entered);
        return true;
    }
    auto start_array(std::size_t) -> bool override {
        const bool of_value = within() == place::value;
        open_.push_back(of_value                   ? (key_ == "L" ? place::list : place::set)
                        : within() == place::event ? place::records
                                                   : place::other);
        return true;
    }
    auto end_object() -> bool override { return open_.pop_back(), true; }
    auto end_array() -> bool override { return open_.pop_back(), true; }

private:
    enum class place : std::uint8_t { outside, event, records, record, change, image, map, value, list, set, other };
    [[nodiscard]] auto within() const -> place { return open_.empty() ? place::outside : open_.back(); }

    checksum sum_;
    std::vector<place> open_;
    std::string key_;
};

} // namespace freshet_bench
