#!/bin/sh
# One command from a fresh clone: installs what is missing (on Debian and its kin), then builds and runs.
#
#   ./cmake/setup.sh demo [ARGUMENT...]   build the demonstration and execute it with these arguments
#   ./cmake/setup.sh test                 build everything and run the tests
#   ./cmake/setup.sh clang|asan|tsan      the unit tests under another compiler or a sanitizer
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
programs='libcli11-dev libsqlite3-dev'
tests='doctest-dev tzdata'
compiler=g++
case $verb in
    demo) needed="$build $library $programs" ;;
    test | asan | tsan | coverage) needed="$build $library $programs $tests" ;;
    clang) needed="$build clang-14 $library $programs $tests" compiler=clang++-14 ;;
    fuzz) needed="$build clang-14 libclang-rt-14-dev $library" compiler=clang++-14 ;;
    bench) needed="$build $library libsqlite3-dev libbenchmark-dev libre2-dev rapidjson-dev libsimdjson-dev libssl-dev" ;;
    *)
        sed -n 's/^# \{0,1\}//; 2,8p' "$root/cmake/setup.sh" >&2
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

if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
    # shellcheck disable=SC2086 # a list of words
    absent=$(missing $needed)
    # shellcheck disable=SC2086
    [ -z "$absent" ] || install $absent
else
    say "this is not Debian; install these by the names that your system has for them:"
    say "  to build:     CMake 3.25, Ninja, $compiler (g++ 12 or clang 14, or newer)"
    say "  the library:  nlohmann-json 3.10, fmt 9, date 3 (Howard Hinnant)"
    say "  programs:     CLI11, SQLite 3.35"
    say "  tests:        doctest, the time zone data (tzdata)"
    say "  benchmarks:   Google Benchmark, RE2, RapidJSON, simdjson, OpenSSL"
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
