#pragma once

#include <array>
#include <string_view>

#include <freshet/core/result.hpp>

namespace adapters::aws::detail {

enum class repeat : bool { no, yes };

struct known_error {
    std::string_view name;
    freshet::errc code;
    repeat again;
    std::string_view meaning; ///< empty: the name says it
};

constexpr std::string_view bad_keys = "the credentials are not accepted";
constexpr std::string_view old_keys = "the session token has expired";
constexpr std::string_view bad_signature = "the signature does not match: is the secret access key right?";
constexpr std::string_view not_allowed = "not allowed with these credentials";
constexpr std::string_view bad_clock = "refused for this machine's clock";
constexpr std::string_view no_table = "there is no such table or stream in this region";
constexpr std::string_view no_queue = "there is no such queue in this region";
constexpr std::string_view no_service = "another service answers there";
constexpr std::string_view no_key = "the encryption key cannot be used";
constexpr std::string_view delivery_over = "the delivery of this receipt is over";

/// The names of DynamoDB's, DynamoDB Streams' and SQS's API references ("Errors" of each operation, "Common Errors"),
/// with those of the older query protocol.
inline constexpr auto known_errors = [] {
    using enum freshet::errc;
    return std::to_array<known_error>({
        {"ThrottlingException", throttled, repeat::yes, {}},
        {"Throttling", throttled, repeat::yes, {}},
        {"ThrottledException", throttled, repeat::yes, {}},
        {"ThrottlingError", throttled, repeat::yes, {}},
        {"RequestThrottled", throttled, repeat::yes, {}},
        {"RequestThrottledException", throttled, repeat::yes, {}},
        {"RequestLimitExceeded", throttled, repeat::yes, {}},
        {"ProvisionedThroughputExceededException", throttled, repeat::yes, {}},
        {"ProvisionedThroughputExceeded", throttled, repeat::yes, {}},
        {"LimitExceededException", throttled, repeat::yes, {}},
        {"LimitExceeded", throttled, repeat::yes, {}},
        {"TooManyRequestsException", throttled, repeat::yes, {}},
        {"TooManyRequests", throttled, repeat::yes, {}},
        {"BandwidthLimitExceeded", throttled, repeat::yes, {}},
        {"SlowDown", throttled, repeat::yes, {}},
        {"KmsThrottled", throttled, repeat::yes, {}},
        {"OverLimit", throttled, repeat::yes, "too many messages in flight"},
        {"PurgeQueueInProgress", throttled, repeat::no, {}},

        {"InternalServerError", unavailable, repeat::yes, {}},
        {"InternalServerErrorException", unavailable, repeat::yes, {}},
        {"InternalError", unavailable, repeat::yes, {}},
        {"InternalFailure", unavailable, repeat::yes, {}},
        {"ServiceUnavailable", unavailable, repeat::yes, {}},
        {"ServiceUnavailableException", unavailable, repeat::yes, {}},
        {"ServiceUnavailableError", unavailable, repeat::yes, {}},
        {"RequestTimeout", unavailable, repeat::yes, {}},
        {"RequestTimeoutException", unavailable, repeat::yes, {}},
        {"QueueDeletedRecently", unavailable, repeat::no, {}},

        {"ConditionalCheckFailedException", conflict, repeat::no, {}},
        {"TransactionConflictException", conflict, repeat::yes, {}},
        {"TransactionInProgressException", conflict, repeat::yes, {}},
        {"ReplicatedWriteConflictException", conflict, repeat::yes, {}},
        {"TransactionCanceledException", conflict, repeat::no, {}},
        {"DuplicateItemException", conflict, repeat::no, {}},
        {"ResourceInUseException", conflict, repeat::no, {}},
        {"TableAlreadyExistsException", conflict, repeat::no, {}},
        {"TableInUseException", conflict, repeat::no, {}},
        {"QueueNameExists", conflict, repeat::no, "there is such a queue with other attributes"},
        {"QueueAlreadyExists", conflict, repeat::no, "there is such a queue with other attributes"},

        {"ValidationException", malformed, repeat::no, {}},
        {"ValidationError", malformed, repeat::no, {}},
        {"SerializationException", malformed, repeat::no, {}},
        {"IdempotentParameterMismatchException", malformed, repeat::no, {}},
        {"InvalidParameterValue", malformed, repeat::no, {}},
        {"InvalidParameterValueException", malformed, repeat::no, {}},
        {"InvalidParameterCombination", malformed, repeat::no, {}},
        {"MissingParameter", malformed, repeat::no, {}},
        {"InvalidMessageContents", malformed, repeat::no, {}},
        {"InvalidAttributeName", malformed, repeat::no, {}},
        {"InvalidAttributeValue", malformed, repeat::no, {}},
        {"InvalidBatchEntryId", malformed, repeat::no, {}},
        {"InvalidIdFormat", malformed, repeat::no, {}},
        {"BatchEntryIdsNotDistinct", malformed, repeat::no, {}},
        {"EmptyBatchRequest", malformed, repeat::no, {}},
        {"ReceiptHandleIsInvalid", malformed, repeat::no, {}},
        {"UnsupportedOperation", malformed, repeat::no, {}},

        {"BatchRequestTooLong", too_large, repeat::no, {}},
        {"TooManyEntriesInBatchRequest", too_large, repeat::no, {}},
        {"ItemCollectionSizeLimitExceededException", too_large, repeat::no, {}},
        {"RequestEntityTooLarge", too_large, repeat::no, {}},
        {"RequestEntityTooLargeException", too_large, repeat::no, {}},

        {"ExpiredIteratorException", expired, repeat::no, {}},
        {"TrimmedDataAccessException", expired, repeat::no, {}},
        {"MessageNotInflight", expired, repeat::no, delivery_over},

        {"UnrecognizedClientException", denied, repeat::no, bad_keys},
        {"UnrecognizedClient", denied, repeat::no, bad_keys},
        {"InvalidClientTokenId", denied, repeat::no, bad_keys},
        {"InvalidAccessKeyId", denied, repeat::no, bad_keys},
        {"InvalidToken", denied, repeat::no, bad_keys},
        {"AuthFailure", denied, repeat::no, bad_keys},
        {"OptInRequired", denied, repeat::no, bad_keys},
        {"NotAuthorized", denied, repeat::no, not_allowed},
        {"ExpiredToken", denied, repeat::no, old_keys},
        {"ExpiredTokenException", denied, repeat::no, old_keys},
        {"InvalidSignatureException", denied, repeat::no, bad_signature},
        {"InvalidSignature", denied, repeat::no, bad_signature},
        {"SignatureDoesNotMatch", denied, repeat::no, bad_signature},
        {"IncompleteSignature", denied, repeat::no, "the request is not signed as it should be"},
        {"IncompleteSignatureException", denied, repeat::no, "the request is not signed as it should be"},
        {"MissingAuthenticationToken", denied, repeat::no, "the request is not signed as it should be"},
        {"MissingAuthenticationTokenException", denied, repeat::no, "the request is not signed as it should be"},
        {"RequestTimeTooSkewed", denied, repeat::no, bad_clock},
        {"RequestExpired", denied, repeat::no, bad_clock},
        {"RequestInTheFuture", denied, repeat::no, bad_clock},
        {"AccessDenied", denied, repeat::no, not_allowed},
        {"AccessDeniedException", denied, repeat::no, not_allowed},
        {"AccessDeniedError", denied, repeat::no, not_allowed},
        {"InvalidSecurity", denied, repeat::no, "the service wants https"},
        {"ResourceNotFoundException", denied, repeat::no, no_table},
        {"TableNotFoundException", denied, repeat::no, no_table},
        {"QueueDoesNotExist", denied, repeat::no, no_queue},
        {"NonExistentQueue", denied, repeat::no, no_queue},
        {"InvalidAddress", denied, repeat::no, "the queue's URL is not one of this service"},
        {"InvalidAction", denied, repeat::no, no_service},
        {"UnknownOperation", denied, repeat::no, no_service},
        {"UnknownOperationException", denied, repeat::no, no_service},
        {"KmsAccessDenied", denied, repeat::no, no_key},
        {"KmsDisabled", denied, repeat::no, no_key},
        {"KmsInvalidKeyUsage", denied, repeat::no, no_key},
        {"KmsInvalidState", denied, repeat::no, no_key},
        {"KmsNotFound", denied, repeat::no, no_key},
        {"KmsOptInRequired", denied, repeat::no, no_key},
        {"InaccessibleEncryptionKeyException", denied, repeat::no, no_key},
    });
}();

} // namespace adapters::aws::detail
