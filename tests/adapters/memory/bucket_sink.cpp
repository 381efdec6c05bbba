#include <adapters/memory/bucket_sink.hpp>

#include <doctest/doctest.h>

#include "../../laws/bucket_sink.hpp"

namespace {

struct one_sink {
    adapters::memory::bucket_sink sink_{};

    auto sink() -> adapters::memory::bucket_sink& { return sink_; }
    auto other() -> adapters::memory::bucket_sink& { return sink_; }
};

} // namespace

FRESHET_BUCKET_SINK_LAWS(one_sink);
