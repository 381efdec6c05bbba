#!/bin/sh
# One command from a fresh clone: installs what is missing (on Debian and its kin), then builds and runs.
#
#   ./cmake/setup.sh demo [ARGUMENT...]   build the demonstration and execute it with these arguments
#   ./cmake/setup.sh demo-aws [ARGUMENT...] the same over HTTP, on a stand-in for AWS on this machine
#   ./cmake/setup.sh test                 build everything and run the tests
#   ./cmake/setup.sh clang|asan|tsan      the unit tests under another compiler or a sanitizer
#   ./cmake/setup.sh aarch64              the unit tests for 64-bit ARM, under an emulator
#   ./cmake/setup.sh bench|fuzz|coverage  measure speed, search for crashes, print the lines that no test reaches
#
# Its own words go to stderr; its own failures exit with 125, so that they are not mistaken for the demonstration's.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)
verb=${1:-}
[ $# -eq 0 ] || shift

say() { echo "setup: $*" >&2; }
fail() {
    say "$*"
    exit 125
}

build='cmake ninja-build g++'
library='nlohmann-json3-dev libfmt-dev libhowardhinnant-date-dev'
programs='libcli11-dev libsqlite3-dev libcurl4-openssl-dev libhiredis-dev'
tests='doctest-dev tzdata'
compiler=g++
case $verb in
    demo | demo-aws) needed="$build $library $programs" ;;
    test) needed="$build $library $programs $tests redis-server $(command -v npm >/dev/null || echo nodejs npm)" ;;
    coverage) needed="$build $library $programs $tests" ;;
    asan | tsan) needed="$build clang-14 libclang-rt-14-dev $library $programs $tests" compiler=clang++-14 ;;
    clang) needed="$build clang-14 $library $programs $tests" compiler=clang++-14 ;;
    aarch64) needed="$build g++-aarch64-linux-gnu qemu-user" compiler=aarch64-linux-gnu-g++ ;;
    fuzz) needed="$build clang-14 libclang-rt-14-dev $library" compiler=clang++-14 ;;
    bench) needed="$build $library libsqlite3-dev libcurl4-openssl-dev libbenchmark-dev libre2-dev rapidjson-dev libsimdjson-dev libssl-dev libboost1.81-dev libabsl-dev" ;;
    *)
        sed -n 's/^# \{0,1\}//; 2,9p' "$root/cmake/setup.sh" >&2
        exit 2
        ;;
esac

# Of the packages in "$@", those that are not installed.
missing() {
    for package in "$@"; do
        # one line an architecture
        case $(dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -x installed) in
            installed*) ;;
            *) printf ' %s' "$package" ;;
        esac
    done
}

install() {
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "needs root or sudo for: apt-get install --no-install-recommends $*"
        as_root=sudo
    fi
    say "installing $*"
    log=$(mktemp)
    if ! { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 update &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 \
            install --no-install-recommends "$@"; } >"$log" 2>&1; then
        why=$(grep -m 1 '^E: ' "$log" || tail -n 1 "$log")
        rm -f "$log"
        fail "cannot install $*: $why"
    fi
    rm -f "$log"
}

# Unpacks the libraries of another architecture into a directory; the system's own packages stay as they are.
unpack_foreign() {
    into=$root/build/$1-root
    wanted="$library $programs $tests"
    [ "$(cat "$into/complete" 2>/dev/null)" != "$wanted" ] || return 0
    say "fetching the libraries for $2"
    work=$(mktemp -d)
    mkdir -p "$work/lists/partial" "$work/archives/partial" "$into"
    : >"$work/status"
    cat >"$work/conf" <<END
APT::Architecture "$2";
APT::Architectures {"$2";};
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Dir::State::status "$work/status";
Dir::State::lists "$work/lists";
Dir::Cache "$work";
END
    # shellcheck disable=SC2086 # a list of words
    if ! { APT_CONFIG=$work/conf apt-get -qq update &&
        APT_CONFIG=$work/conf apt-get -qq -y --download-only install $wanted &&
        (for package in "$work"/archives/*.deb; do dpkg -x "$package" "$into" || exit; done); } >"$work/log" 2>&1; then
        why=$(grep -m 1 '^E: ' "$work/log" || tail -n 1 "$work/log")
        rm -rf "$work"
        fail "cannot fetch the libraries for $2: $why"
    fi
    echo "$wanted" >"$into/complete"
    rm -rf "$work"
}

if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
    # shellcheck disable=SC2086 # a list of words
    absent=$(missing $needed)
    # shellcheck disable=SC2086
    [ -z "$absent" ] || install $absent
    [ "$verb" != aarch64 ] || unpack_foreign aarch64 arm64
else
    [ "$verb" != aarch64 ] || fail "the libraries for 64-bit ARM come from Debian's packages; this is not Debian"
    say "this is not Debian; install these by the names that your system has for them:"
    say "  to build:     CMake 3.25, Ninja, $compiler (g++ 12 or clang 14, or newer)"
    say "  the library:  nlohmann-json 3.10, fmt 9, date 3 (Howard Hinnant)"
    say "  programs:     CLI11, SQLite 3.35, libcurl 7.88, hiredis"
    say "  tests:        doctest, the time zone data (tzdata), Redis, Node.js and npm"
    say "  benchmarks:   Google Benchmark, RE2, RapidJSON, simdjson, OpenSSL, Boost, Abseil"
    for tool in cmake ninja $compiler; do
        command -v "$tool" >/dev/null || fail "$tool is not found: install it and run this again"
    done
    say "the tools are there; going on"
fi

cmake_version=$(cmake --version | sed -n '1s/^cmake version //p')
case $cmake_version in
    [0-2].* | 3.[0-9] | 3.[0-9].* | 3.1[0-9]* | 3.2[0-4]*)
        fail "CMake 3.25 or newer is needed, and $(command -v cmake) is $cmake_version" ;;
esac

case $verb in
    demo)
        mkdir -p "$root/build"
        log=$root/build/demo.log
        say "building the demonstration (the compiler's words are in $log)"
        (cd "$root" && cmake --workflow --preset demo) >"$log" 2>&1 || {
            cat "$log" >&2
            fail "the demonstration does not build"
        }
        program=$root/build/demo/examples/demo
        [ -x "$program" ] || fail "the demonstration was left out: $(grep -A 1 '^ *Left out' "$log" | tail -n 1)"
        exec "$program" "$@"
        ;;
    demo-aws)
        mkdir -p "$root/build"
        log=$root/build/demo-aws.log
        say "building the demonstration and a stand-in for AWS (the compiler's words are in $log)"
        (cd "$root" && cmake --workflow --preset demo-aws) >"$log" 2>&1 || {
            cat "$log" >&2
            fail "the demonstration does not build"
        }
        for program in tests/fake_aws/with_aws examples/demo; do
            [ -x "$root/build/demo-aws/$program" ] ||
                fail "$program was left out: $(grep -A 1 '^ *Left out' "$log" | tail -n 1)"
        done
        exec "$root/build/demo-aws/tests/fake_aws/with_aws" "$root/build/demo-aws/examples/demo" --backend aws "$@"
        ;;
    test)
        cd "$root"
        cmake --workflow --preset test
        exec cmake -DDIR=build/test/tests/servers/results -P tests/servers/table.cmake
        ;;
    coverage)
        cd "$root"
        cmake --workflow --preset coverage
        exec ./cmake/coverage.sh item key stream
        ;;
    *)
        cd "$root"
        exec cmake --workflow --preset "$verb"
        ;;
esac
