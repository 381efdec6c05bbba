#include <freshet/item/record_parser.hpp>

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <freshet/item/event_decoder.hpp>

#include <support/refusals.hpp>

using enum support::readable;
using support::check_record_refused;
using support::right_record;

namespace {

/// A right record whose member `dynamodb` also holds `more`.
void check_change_refused(std::string_view more, std::string_view reason) {
    check_record_refused(right_record("200", more), reason);
}

/// A record of these members and a right `dynamodb`.
auto record_with(std::string_view members) -> std::string {
    return "{" + std::string{members} +
           R"("eventID":"id-200","dynamodb":{"SequenceNumber":"200","Keys":{"PK":{"S":"p"},"SK":{"N":"7"}}}})";
}

auto is_right(std::string_view record) -> bool {
    freshet::event_decoder decoder;
    const auto event = support::event_around(record);
    const auto records = decoder.decode(event);
    return records && (*records)[1].ok();
}

} // namespace

TEST_CASE("a record that is no object fails alone") {
    for (const auto* record : {"@null", "@1", "@-2.5e3", "@\"text\"", "@true", "@[]", "@[{\"Records\":[]}]"}) {
        check_record_refused(record, "a record that is no object", nothing);
    }
    CHECK(is_right(right_record("200")));
}

TEST_CASE("a record says what happened, to which item, and when in the stream's order") {
    check_record_refused("@{}", "a record without eventName", nothing);
    check_record_refused("@" + record_with(""), "a record without eventName");
    check_record_refused("@" + record_with(R"("eventName":null,)"), "a record without eventName");
    check_record_refused(record_with(R"("eventName":@"UPDATE",)"),
                         "an eventName that is none of INSERT, MODIFY, REMOVE");
    check_record_refused(record_with(R"("eventName": @"modify",)"),
                         "an eventName that is none of INSERT, MODIFY, REMOVE");
    check_record_refused(record_with(R"("eventName":@1,)"), "an eventName that is no text");
    const auto with_change = [](std::string_view change) {
        return R"({"eventID":"id-200","eventName":"MODIFY","dynamodb":)" + std::string{change} + "}";
    };
    check_record_refused(R"(@{"eventID":"id-200","eventName":"MODIFY"})", "a record without Keys", only_id);
    check_record_refused("@" + with_change("{}"), "a record without Keys", only_id);
    for (const auto* change : {"@null", "@[]", "@\"x\""}) {
        check_record_refused(with_change(change), "a dynamodb member that is no object", only_id);
    }
    check_record_refused("@" + with_change(R"({"SequenceNumber":"200"})"), "a record without Keys", all_but_keys);
    check_record_refused("@" + with_change(R"({"SequenceNumber":"200","Keys":null})"), "a record without Keys",
                         all_but_keys);
    check_record_refused("@" + with_change(R"({"Keys":{"PK":{"S":"p"},"SK":{"N":"7"}}})"),
                         "a record without SequenceNumber", all_but_sequence);
}

TEST_CASE("a key is one or two attributes of the types S, N and B") {
    const auto with_keys = [](std::string_view keys) {
        return R"({"eventID":"id-200","eventName":"REMOVE","dynamodb":{"SequenceNumber":"200","Keys":)" +
               std::string{keys} + "}}";
    };
    for (const auto* keys : {"@[]", "@\"PK\"", "@1", "@true"}) {
        check_record_refused(with_keys(keys), "Keys that are no object", all_but_keys);
    }
    check_record_refused(with_keys("@{}"), "a key of neither one nor two attributes", all_but_keys);
    check_record_refused(with_keys(R"(@{"a":{"S":"x"},"b":{"S":"x"},"c":{"S":"x"}})"),
                         "a key of neither one nor two attributes", all_but_keys);
    for (const auto* value : {R"({"BOOL":true})", R"({"NULL":true})", R"({"L":[]})", R"({"M":{}})", R"({"SS":["x"]})",
                              R"({"NS":["1"]})", R"({"BS":["AA=="]})"}) {
        check_record_refused(with_keys(R"( @{"PK":)" + std::string{value} + "}"),
                             "a key attribute that is not of type S, N or B", all_but_keys);
    }
    check_record_refused(with_keys(R"({"PK":{"S":@1}})"), "text was expected", all_but_keys);
    check_record_refused(with_keys(R"({"PK":{"S":"x"},@"PK":{"S":"x"}})"), "a name that repeats", all_but_keys);
    check_record_refused(with_keys(R"({"PK":@"x"})"), "an attribute value that is no object", all_but_keys);
    CHECK(is_right(with_keys(R"({"PK":{"B":"AA=="}})")));
}

TEST_CASE(
    "keys and sequence number stay readable behind an earlier fault, and unreadable when they are at fault, too") {
    const auto behind = [](std::string_view change) {
        return R"({"eventID":"id-200","eventName":@"BOGUS","dynamodb":)" + std::string{change} + "}";
    };
    const auto* bogus = "an eventName that is none of INSERT, MODIFY, REMOVE";
    check_record_refused(behind(R"({"Keys":{"PK":{"S":"p"},"SK":{"N":"7"}},"SequenceNumber":"200"})"), bogus);
    check_record_refused(behind(R"({"Keys":{"PK":{"S":"p"},"SK":{"N":"x"}},"SequenceNumber":"200"})"), bogus,
                         all_but_keys);
    check_record_refused(behind(R"({"Keys":{"PK":{"S":"p"},"SK":{"N":"7"}},"SequenceNumber":"2oo"})"), bogus,
                         all_but_sequence);
    check_record_refused(behind(R"({"Keys":{"PK":{"S":"p"},"SK":{"BOOL":true}},"SequenceNumber":200})"), bogus,
                         only_id);
}

TEST_CASE("a sequence number is a text of 1 to 40 digits") {
    const auto with_sequence = [](std::string_view sequence) {
        return R"({"eventID":"id-200","eventName":"MODIFY","dynamodb":{"Keys":{"PK":{"S":"p"},"SK":{"N":"7"}},"SequenceNumber":)" +
               std::string{sequence} + "}}";
    };
    for (const auto* sequence : {"@200", "@null", "@{}", "@[\"200\"]"}) {
        check_record_refused(with_sequence(sequence), "a SequenceNumber that is no text", all_but_sequence);
    }
    check_record_refused(with_sequence(R"(@"")"), "a sequence number is not empty", all_but_sequence);
    for (const auto* sequence : {R"(@"-1")", R"(@"2 ")", R"(@"1e5")", R"(@"0x1")", R"(@"\u0661")"}) {
        check_record_refused(with_sequence(sequence), "a sequence number has only decimal digits", all_but_sequence);
    }
    check_record_refused(with_sequence("@\"" + std::string(41, '1') + '"'), "a sequence number has at most 40 digits",
                         all_but_sequence);
    CHECK(is_right(with_sequence('"' + std::string(40, '9') + '"')));
    CHECK(is_right(with_sequence(R"("\u0031")")));
}

TEST_CASE("what is said twice says nothing, even where both say the same") {
    const auto* repeats = "a name that repeats";
    check_record_refused(
        R"({"eventID":"id-200",@"eventID":"id-200","eventName":"MODIFY","dynamodb":{"Keys":{"PK":{"S":"p"},"SK":{"N":"7"}},"SequenceNumber":"200"}})",
        repeats, all_but_id);
    check_record_refused(right_record("200", R"(,@"SequenceNumber":"200")"), repeats, all_but_sequence);
    check_record_refused(right_record("200", R"(,@"SequenceNumber":"201")"), repeats, all_but_sequence);
    check_record_refused(right_record("200", R"(,@"SequenceNumber":null)"), repeats, all_but_sequence);
    check_record_refused(right_record("200", R"(,@"Keys":{"PK":{"S":"q"}})"), repeats, all_but_keys);
    check_record_refused(right_record("200", R"(,@"\u004beys":{"PK":{"X":"q"}})"), repeats, all_but_keys);
    check_record_refused(
        R"({"dynamodb":{"SequenceNumber":"200"},"eventID":"id-200",@"dynamodb":{"Keys":{"PK":{"S":"p"},"SK":{"N":"7"}},"SequenceNumber":"1"}})",
        repeats, all_but_sequence);
    check_record_refused(record_with(R"("eventName":"MODIFY",@"eventName":"MODIFY",)"), repeats);
    check_record_refused(record_with(R"("eventName":"MODIFY","unknown":[{"a":{"b":1,"a":1,@"b":1}}],)"), repeats);
    check_change_refused(R"(,"NewImage":{},@"NewImage":{})", repeats);
    check_change_refused(R"(,"unknown":{"a":1,@"\u0061":2})", repeats);
}

TEST_CASE("every member has its type, and null stands for absent only where the service may leave it out") {
    for (const auto* wrong : {"@1", "@true", "@[]", "@{}"}) {
        const std::string text{wrong};
        check_record_refused(
            R"({"eventID":)" + text +
                R"(,"eventName":"MODIFY","dynamodb":{"Keys":{"PK":{"S":"p"},"SK":{"N":"7"}},"SequenceNumber":"200"}})",
            "an eventID that is no text", all_but_id);
        check_record_refused(record_with(R"("eventName":)" + text + ","), "an eventName that is no text");
        check_record_refused(record_with(R"("eventName":"MODIFY","eventVersion":)" + text + ","),
                             "an eventVersion that is no text");
        check_record_refused(record_with(R"("eventName":"MODIFY","eventSource":)" + text + ","),
                             "an eventSource that is no text");
        check_record_refused(record_with(R"("eventName":"MODIFY","awsRegion":)" + text + ","),
                             "an awsRegion that is no text");
        check_record_refused(record_with(R"("eventName":"MODIFY","eventSourceARN":)" + text + ","),
                             "an eventSourceARN that is no text");
        check_record_refused(record_with(R"("eventName":"MODIFY","userIdentity":{"type":)" + text + "},"),
                             "an identity type that is no text");
        check_record_refused(record_with(R"("eventName":"MODIFY","userIdentity":{"PrincipalId":)" + text + "},"),
                             "an identity principal that is no text");
        check_change_refused(R"(,"StreamViewType":)" + text, "a StreamViewType that is no text");
    }
    for (const auto* wrong : {"@1", "@true", "@[]", "@\"x\""}) {
        const std::string text{wrong};
        check_record_refused(record_with(R"("eventName":"MODIFY","userIdentity":)" + text + ","),
                             "a userIdentity that is no object");
        check_change_refused(R"(,"NewImage":)" + text, "a NewImage that is no object");
        check_change_refused(R"(,"OldImage":)" + text, "an OldImage that is no object");
    }
    for (const auto* wrong : {"@true", "@[]", "@{}"}) {
        check_change_refused(R"(,"ApproximateCreationDateTime":)" + std::string{wrong},
                             "an ApproximateCreationDateTime that is neither number nor text");
    }
    for (const auto* wrong : {"@\"1\"", "@true", "@[]", "@{}"}) {
        check_change_refused(R"(,"SizeBytes":)" + std::string{wrong}, "a SizeBytes that is no number");
    }
    CHECK(is_right(record_with(
        R"("eventName":"MODIFY","eventVersion":null,"eventSource":null,"awsRegion":null,"eventSourceARN":null,"userIdentity":null,)")));
    CHECK(is_right(record_with(R"("eventName":"MODIFY","userIdentity":{"type":null,"principalId":null,"more":[1]},)")));
    CHECK(is_right(right_record(
        "200",
        R"(,"NewImage":null,"OldImage":null,"SizeBytes":null,"StreamViewType":null,"ApproximateCreationDateTime":null)")));
}

TEST_CASE("members say only what a change record can say") {
    check_record_refused(record_with(R"("eventName":"MODIFY","eventSource":@"aws:sqs",)"),
                         "an eventSource that is not aws:dynamodb");
    check_change_refused(R"(,"StreamViewType":@"NEW")", "an unknown StreamViewType");
    for (const auto* size : {"@-1", "@-0", "@1.0", "@1e3", "@18446744073709551616"}) {
        check_change_refused(R"(,"SizeBytes":)" + std::string{size}, "a SizeBytes that is no count of bytes");
    }
    CHECK(is_right(right_record("200", R"(,"SizeBytes":18446744073709551615)")));
    for (const auto* time :
         {"@253402300800", "@-62167219201", "@1e999", "@\"\"", "@\"soon\"", "@\"+1\"", "@\"1.\"",
          "@\"2024-01-15T10:30:00\"", "@\"9999-12-31T23:59:59-01:00\"", "@\"0000-01-01T00:00:00+00:01\""}) {
        check_change_refused(R"(,"ApproximateCreationDateTime":)" + std::string{time},
                             "an ApproximateCreationDateTime that is no time");
    }
    const auto named = [](std::string_view name, std::string_view more) {
        return R"({"eventID":"id-200","eventName":")" + std::string{name} +
               R"(","dynamodb":{"Keys":{"PK":{"S":"p"},"SK":{"N":"7"}},"SequenceNumber":"200")" + std::string{more} +
               "}}";
    };
    check_record_refused("@" + named("INSERT", R"(,"OldImage":{})"), "an INSERT with an OldImage");
    check_record_refused("@" + named("REMOVE", R"(,"NewImage":{})"), "a REMOVE with a NewImage");
    CHECK(is_right(named("INSERT", R"(,"NewImage":{})")));
    CHECK(is_right(named("REMOVE", R"(,"OldImage":{})")));
    CHECK(is_right(named("MODIFY", R"(,"NewImage":{},"OldImage":{})")));
    for (const auto* name : {"INSERT", "MODIFY", "REMOVE"}) { CHECK(is_right(named(name, ""))); }
}

TEST_CASE("of several faults the first is told") {
    check_change_refused(R"(,"SizeBytes":@-1,"StreamViewType":"x","NewImage":{"a":{"Q":1}})",
                         "a SizeBytes that is no count of bytes");
    check_change_refused(R"(,"NewImage":{"a":{"N":@"x"},"a":{"N":"y"}},"SizeBytes":-1)", "a digit is missing");
}
