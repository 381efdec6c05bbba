#include <cstdio>
#include <string_view>

#include <lambda/functions.hpp>
#include <support/printing.hpp>

auto main(int argc, char** argv) -> int {
    if (const auto code = lambda::run_if_asked(lambda::functions)) { return *code; }
    const std::string_view asked = argc > 1 ? argv[1] : "";
    if (asked != "--help" && asked != "-h") {
        support::complain("lambda: AWS Lambda starts this, as the bootstrap of a custom runtime; --help says more\n");
        return lambda::wrong_usage;
    }
    support::print("Serves a function as the bootstrap of a custom runtime of AWS Lambda (provided.al2023).\n\n"
               "AWS Lambda sets AWS_LAMBDA_RUNTIME_API and _HANDLER. Functions, by the handler's name:\n\n"
               "  stream_processor  DynamoDB stream events to the queues of LINES_QUEUE_URL and WORDS_QUEUE_URL; what\n"
               "                    cannot be processed to DEAD_LETTER_QUEUE_URL, if that is set. Also reads\n"
               "                    MONITORED_FIELDS_RECEIPT_METADATA, MONITORED_FIELDS_RECEIPT_WORD_LABEL,\n"
               "                    AWS_ENDPOINT_URL and LOG_LEVEL (default: INFO).\n"
               "  label_counts      on a schedule's event: counts the labels of CORE_LABELS in the table of\n"
               "                    DYNAMODB_TABLE_NAME into the one called after it, with -ledger. Also reads\n"
               "                    AWS_ENDPOINT_URL and LOG_LEVEL (default: INFO).\n"
               "  table_cache       SQS messages that name a work order's step; keeps the tables of\n"
               "                    DYNAMODB_TABLE_PREFIX (default: email-agent) from one to the next. Also reads\n"
               "                    CACHE_REFRESH_INTERVAL_SECS, AWS_ENDPOINT_URL and LOG_LEVEL.\n"
               "  metrics           DynamoDB stream events of Item, ScoreResult, Task and Evaluation tables: counts their\n"
               "                    records over the API of PLEXUS_API_URL (or GRAPHQL_ENDPOINT; PLEXUS_API_KEY or\n"
               "                    GRAPHQL_API_KEY), else in the tables of DYNAMODB_TABLE_NAME. Also reads\n"
               "                    METRICS_RUN_FIELD, AWS_ENDPOINT_URL and LOG_LEVEL.\n"
               "  validate_pending_labels, validate_metadata, reverify_labels\n"
               "                    on a schedule's event: validate the receipts in the table of DYNAMODB_TABLE_NAME,\n"
               "                    with the ones called after it, -runs and -ledger; receipts that fail go to the\n"
               "                    queue of DEAD_LETTER_QUEUE_URL, else to TABLE-validation-dead.fifo. Also read\n"
               "                    AWS_ENDPOINT_URL and LOG_LEVEL (default: INFO).\n\n"
               "Exit code: 0 after SIGTERM or SIGINT, 1 the function cannot be started, 2 usage, 3 the runtime API\n"
               "cannot be used.\n");
    return lambda::all_well;
}
