#pragma once

#include <doctest/doctest.h>

#include "queue_random.hpp"
#include "queue_receiving.hpp"
#include "queue_sending.hpp"

/// Every law of `freshet::message_queue`, on these fixtures.
///
/// A fixture is default constructible and then fresh and empty. It gives `fifo()` (visibility 30 s, dead-letter queue
/// after 3 receives), `dead()` (that queue, FIFO), `standard()`, and `clock()`, the `manual_clock` that they obey.
/// Deduplication time is 5 minutes and retention 4 days.
#define FRESHET_MESSAGE_QUEUE_LAWS(...)                            \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_1, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_2, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_3, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_4, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_5, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_6, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_7, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_8, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_9, __VA_ARGS__);  \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_10, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_11, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_12, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_13, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_14, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_15, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_16, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_17, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_18, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_19, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_20, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_21, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_22, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_23, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_24, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_25, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_26, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_27, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_28, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_29, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_30, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_31, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_32, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_33, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_34, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_35, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_36, __VA_ARGS__); \
    TEST_CASE_TEMPLATE_INVOKE(laws_message_queue_37, __VA_ARGS__)
