#!/bin/sh
# Installs what is missing, builds as released, measures kernels, matrix products beside other libraries and the
# classifier's training and the tape's costs, and writes docs/benchmarks.md with its pictures. Keep the machine quiet meanwhile.
# usage: sh tools/bench.sh [--quick]     --quick: float alone, fewer repetitions
# Builds in ${WASHI_BUILD:-build}-bench, where the measurements stay as JSON. WASHI_MEASURE is put before each program
# that measures: WASHI_MEASURE='chrt -r 20' lets nothing else run on its cores.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${WASHI_BUILD:-$root/build}-bench

kernels='/(f32|f64|i32|u8)/' repetitions=101 epochs=9
case ${1-} in
'') ;;
--quick) kernels='/f32/' repetitions=11 epochs=5 ;;
*) echo "bench: '$1' is not an option" >&2; exit 1 ;;
esac

sh "$root/tools/setup.sh" --bench
again= # so that meson knows libraries that are new
[ ! -f "$build/build.ninja" ] || again=--reconfigure
# shellcheck disable=SC2086 # an option or nothing
meson setup $again "$build" "$root" --buildtype=release >/dev/null
meson compile -C "$build" bench_simd bench_gemm bench_mnist bench_tape

measure() { # program, options
  program=$1
  shift
  begin=$(date +%s)
  printf 'bench: %s ...' "$program" >&2
  # shellcheck disable=SC2086 # a command or nothing
  ${WASHI_MEASURE-} "$build/benchmarks/$program" --benchmark_out="$build/$program.json" --benchmark_out_format=json "$@" \
    >"$build/$program.txt" 2>&1 || { echo ' failed:' >&2; tail "$build/$program.txt" >&2; exit 1; }
  echo " $(($(date +%s) - begin)) s" >&2
}

measure bench_mnist --benchmark_min_time=0.1 --benchmark_repetitions="$epochs"
measure bench_tape --benchmark_min_time=0.1 --benchmark_repetitions="$epochs"
measure bench_gemm --benchmark_min_time=0.002 --benchmark_repetitions="$repetitions"
measure bench_simd --benchmark_min_time=0.01 --benchmark_filter="$kernels"
python3 "$root/tools/bench_report.py" "$build" "$root/docs" "tools/bench.sh${1:+ $1}"
