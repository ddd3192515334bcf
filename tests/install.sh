#!/bin/sh
# Installs the build to a temporary prefix, and builds a program outside with what pkg-config says: with
# the shared library and with the static one, as C and, where there is a C++ compiler, as C++.
# usage: install.sh MESON BUILD_FOLDER SOURCE COMPILER [C++_COMPILER]
set -eu
meson=$1 build=$2 source=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$meson" install -C "$build" --no-rebuild --quiet --destdir "$work" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
described=$(find "$work" -name washi.pc)
folder=$(dirname "$described")
libraries=$(dirname "$folder")
export PKG_CONFIG_PATH="$folder"
prefix=$work$(pkg-config --variable=prefix washi)

flags() { pkg-config --define-variable=prefix="$prefix" "$@" --cflags --libs washi; }

installed=$(cd "$prefix" && find . -name '*.h')
[ "$installed" = ./include/washi.h ] || { echo "headers installed: $installed" >&2; exit 1; }
[ ! -e "$prefix/bin" ] || { echo "an example is installed" >&2; exit 1; }

try() { # shared or static, compiler, its options
  how=$1
  shift
  echo "$how: $*"
  "$@" -o "$work/program"
  needs=no
  if readelf -d "$work/program" | grep -q 'NEEDED.*\[libwashi\.so'; then needs=yes; fi
  case $how$needs in sharedyes | staticno) ;; *) echo "not linked $how" >&2; exit 1 ;; esac
  LD_LIBRARY_PATH=$libraries "$work/program"
}

for how in shared static; do
  option=
  if [ $how = static ]; then
    rm "$libraries"/libwashi.so*
    option=--static
  fi
  # shellcheck disable=SC2046,SC2086 # options, as cc x.c $(pkg-config --cflags --libs washi)
  for compiler; do
    case $compiler in *++*) language=c++ ;; *) language=c ;; esac
    try "$how" "$compiler" -x $language "$source" -x none $(flags $option)
  done
done
