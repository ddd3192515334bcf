#!/bin/sh
# Cross-builds for aarch64 and runs the tests of the kernels, of the ops and of training under qemu-aarch64.
# The arm64 packages are unpacked into a cache folder; the system gets no foreign architecture.
# usage: sh tools/test-neon.sh     builds in ${WASHI_BUILD:-build}-neon; cache in ${XDG_CACHE_HOME:-~/.cache}
# exit 77: it cannot be done here
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${WASHI_BUILD:-$root/build}-neon
cache=${XDG_CACHE_HOME:-$HOME/.cache}/washi/arm64
programs='test_simd test_simd_chain test_simd_floats test_simd_levels test_simd_math test_simd_rows test_simd_values
  test_gemm test_gemm_hooks test_ops test_golden'
tests='simd simd_chain simd_floats simd_levels simd_math simd_rows simd_values gemm gemm_hooks ops_table ops_shapes ops_errors golden'
packages='libsleef-dev libsleef3 librandom123-dev libjsmn-dev zlib1g-dev zlib1g
  check libsubunit-dev libsubunit0 libc6 libgcc-s1'
[ $# = 0 ] || { echo "test-neon: '$1' is not an option" >&2; exit 1; }
export WASHI_LEAN=1 # fewer lengths and storage forms; every kernel and every op

skip() { echo "test-neon: NOTHING WAS TESTED: $1" >&2; exit 77; }

arm64_apt() {
  apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o APT::Sandbox::User= \
    -o Dir::State::lists="$cache/lists" -o Dir::Cache="$cache" "$@"
}
fetch() { # by chained commands: in a condition, set -e does not end a function
  rm -rf "$cache" &&
    mkdir -p "$cache/lists/partial" "$cache/archives/partial" "$cache/debs" "$cache/root" &&
    cd "$cache/debs" && arm64_apt update || return 1
  # shellcheck disable=SC2086 # a list of words
  arm64_apt download $packages || return 1
  for package in *.deb; do dpkg -x "$package" "$cache/root" || return 1; done
  rm -rf "$cache/lists" "$cache/debs"
  cd "$root"
  echo "$packages" >"$cache/complete"
}

sh "$root/tools/setup.sh" --emulate || skip "the compiler for arm64 or the emulator cannot be installed here"
if [ "$(cat "$cache/complete" 2>/dev/null)" != "$packages" ]; then # another list fetches anew
  echo "test-neon: fetching arm64 packages into $cache" >&2
  fetch || skip "the arm64 packages cannot be fetched"
fi

libraries=$cache/root/usr/lib/aarch64-linux-gnu
cat >"$cache/cross.ini" <<END
[binaries]
c = 'aarch64-linux-gnu-gcc'
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-aarch64', '-L', '$cache/root']

[properties]
sys_root = '$cache/root'
pkg_config_libdir = ['$libraries/pkgconfig', '$cache/root/usr/share/pkgconfig']

[built-in options]
c_args = ['-isystem', '$cache/root/usr/include', '-isystem', '$cache/root/usr/include/aarch64-linux-gnu']
c_link_args = ['-L$libraries', '-Wl,-rpath-link,$libraries']

[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
END

[ -f "$build/build.ninja" ] || meson setup "$build" "$root" --cross-file "$cache/cross.ini" -Dwerror=true
ninja -C "$build" build.ninja >/dev/null # so that meson knows new targets
# shellcheck disable=SC2086 # lists of words
meson compile -C "$build" $programs
# shellcheck disable=SC2086
meson test -C "$build" --no-rebuild --print-errorlogs --timeout-multiplier 10 $tests
echo 'test-neon: with the bits of the scalar level or of the reference:'
grep -hE ' (calls|products) ' "$build/meson-logs/testlog.txt"
