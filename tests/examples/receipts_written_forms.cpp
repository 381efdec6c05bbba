#include <receipts/written_forms.hpp>

#include <string_view>

#include <doctest/doctest.h>

namespace {

using receipts::holds_date;
using receipts::holds_time;
using receipts::is_phone;

TEST_CASE("dates are known by their forms: day, month and year in any usual order, with or without words") {
    for (const std::string_view text :
         {"20/03/2018",  "20-03-18",      "11.02.18",    "6/4/2018",        "12/13/2016",
          "2016-07-31",  "2016/05/01",    "25032018",    "20180325",        "14/JUN/2017",
          "01-NOV-2017", "24MAR18",       "24 Mar 2018", "5 Disember 2017", "Jan 5, 2018",
          "29-03/2018",  "DATE:11/03/18", "[19/01/17]",  "1O/03/2O18",      "2018-01-01T10:20"}) {
        CAPTURE(text);
        CHECK(holds_date(text));
    }
}

TEST_CASE("what only looks like a date is none") {
    for (const std::string_view text :
         {"", "TOTAL", "12.50", "1.250.00", "32/01/2018", "12/32/2018", "01/01/1812", "10:20:30", "62760693", "20/03",
          "MARCH", "24 MAR", "123/45/6789", "03-92016281", "00/00/00", "1234-5678"}) {
        CAPTURE(text);
        CHECK_FALSE(holds_date(text));
    }
}

TEST_CASE("times are known by their forms, with seconds, half days or neither") {
    for (const std::string_view text :
         {"23:12:13", "5:02", "06:20PM", "10.00.53PM", "10.30am", "6pm", "6 PM", "TIME:11:33", "18H30", "1O:30"}) {
        CAPTURE(text);
        CHECK(holds_time(text));
    }
}

TEST_CASE("what only looks like a time is none") {
    for (const std::string_view text :
         {"", "TOTAL", "12.50", "25:10", "12:60", "12:5", "20/03/2018", "6", "PM", "123:45", "10.30.99"}) {
        CAPTURE(text);
        CHECK_FALSE(holds_time(text));
    }
}

TEST_CASE("telephone numbers are known by their digits and the marks between them") {
    for (const std::string_view text : {"012 - 6651783", "+603-9130 2672", "(03) 2093 7358", "62760693", "1300-88-5200",
                                        "TEL:07-3886880", "Tel. 07-3886880", "03-92016281/6920"}) {
        CAPTURE(text);
        CHECK(is_phone(text));
    }
    for (const std::string_view text : {"", "TEL:", "12345", "CS00031180", "20/03/2018", "1250.00", "23:12:13",
                                        "1234567890123456", "8 JALAN 12345"}) {
        CAPTURE(text);
        CHECK_FALSE(is_phone(text));
    }
}

} // namespace
