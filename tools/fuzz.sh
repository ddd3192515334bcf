#!/bin/sh
# Feeds damaged files to the readers under clang's sanitizers, for as long as asked: first those that
# tests/fuzz_files.c damages itself, then what libFuzzer finds by the paths it has covered.
# usage: sh tools/fuzz.sh [seconds]     default: 60 of each; builds in ${WASHI_BUILD:-build}-fuzz
# Inputs that covered something new stay in that folder, in corpus/, and the next run begins with them.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${WASHI_BUILD:-$root/build}-fuzz
seconds=${1:-60}
case $seconds in *[!0-9]*) echo "fuzz: '$seconds' is not a number of seconds" >&2; exit 1 ;; esac
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

sh "$root/tools/setup.sh"
[ -f "$build/build.ninja" ] || CC=clang CXX=clang++ meson setup "$build" "$root" -Dbuildtype=debugoptimized \
  -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fsanitize=fuzzer-no-link
ninja -C "$build" build.ninja >/dev/null # so that meson knows new targets
meson compile -C "$build" fuzz_files washi:shared_library
"$build/tests/fuzz_files" "$seconds" "$(date +%s)"

clang -g -O1 -fsanitize=fuzzer,address,undefined -DWASHI_LIBFUZZER -I"$root/lib" "$root/tests/fuzz_files.c" \
  -o "$build/libfuzzer" -L"$build" -lwashi -lz -Wl,-rpath,"$build"
mkdir -p "$build/corpus"
cd "$build" # where a crash leaves its input
"$build/libfuzzer" -max_total_time="$seconds" -max_len=1024 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
  "$build/corpus"
