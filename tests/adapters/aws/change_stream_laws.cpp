#include <adapters/aws/change_stream.hpp>

#include <doctest/doctest.h>

#include <laws/change_stream.hpp>

#include "stream_fixture.hpp"

using one_shard = fake_aws::testing::streamed<1, false>;
using splitting_shards = fake_aws::testing::streamed<4, true>;

FRESHET_CHANGE_STREAM_LAWS(one_shard, splitting_shards);
