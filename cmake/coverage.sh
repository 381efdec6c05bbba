#!/bin/sh
# After the workflow preset `coverage`: how many lines of each header of these rooms the unit tests reached, and which
# ones they missed. A line counts as reached when any instantiation of it ran.
#
#   ./cmake/coverage.sh ROOM...
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
out=$root/build/coverage/gcov
rm -rf "$out"
mkdir -p "$out"
cd "$out"

# One call for all: gcov then adds up what the binaries did.
find "$root/build/coverage/tests" -name '*.gcda' \
    -exec gcov --preserve-paths --source-prefix "$root" --relative-only {} + >/dev/null 2>&1
for room in "$@"; do
    for header in "$root/include/freshet/$room"/*.hpp; do
        [ -e "$header" ] || continue
        name=$room/$(basename "$header")
        report=$(ls "$out"/*include#freshet#"$room"#"$(basename "$header")".gcov 2>/dev/null || true)
        if [ -z "$report" ]; then
            echo "none $name"
        else
            awk -F: -v name="$name" '
                { count = $1; gsub(/[ *]/, "", count); line = $2 + 0 }
                line == 0 || count == "-" || count == "" { next }
                count ~ /^[#=]+$/ { if (!(line in hit)) hit[line] = 0; if (line > last) last = line; next }
                count ~ /^[0-9]/ { hit[line] = 1; if (line > last) last = line }
                END {
                    for (i = 1; i <= last; ++i) {
                        if (!(i in hit)) continue
                        ++all
                        if (hit[i]) ++reached; else missed = missed " " i
                    }
                    print all, reached, name missed
                }' "$report"
        fi
    done
done | awk '
    $1 == "none" { printf "     -              %s (no line of it is in a test binary)\n", $2; next }
    { all += $1; reached += $2; printf "%6.1f %%  %5d lines  %s", 100 * $2 / $1, $1, $3 }
    NF > 3 { printf "  missed:"; for (i = 4; i <= NF; ++i) printf " %d", $i }
    { print "" }
    END { if (all) printf "%6.1f %%  %5d lines  together\n", 100 * reached / all, all }'
