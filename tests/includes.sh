#!/bin/sh
# Who includes whom: lib/nn and lib/io nothing of ours but washi.h, as a program outside would; the
# other folders only those below them.
# usage: includes.sh ROOT
set -eu
cd "$1"

check() { # a folder, and what its files may include of ours beside files of the folder itself
  folder=$1
  shift
  seen=0
  for file in "$folder"/*.[ch]; do
    [ -f "$file" ] || continue
    seen=$((seen + 1))
    sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*\(["<][^">]*\)[">].*/\1/p' "$file" |
      while read -r included; do
        name=${included#?}
        case $included in
        \"*) case $name in */*) ;; *) [ ! -f "$folder/$name" ] || continue ;; esac ;;
        *) [ -e "$name" ] || [ -e "lib/$name" ] || continue ;; # the system's
        esac
        # shellcheck disable=SC2254 # a pattern
        for allowed; do case $name in $allowed) continue 2 ;; esac; done
        echo "$file includes $name"
      done
  done
  [ "$seen" -gt 0 ] || echo "$folder has no file to look at"
}

wrong=$(
  check simd 'simd/*.h'
  check lib/core washi.h 'simd/*.h' 'core/*.h'
  check autodiff washi.h 'simd/*.h' 'core/*.h' 'autodiff/*.h'
  check lib/nn washi.h
  check lib/io washi.h
  check examples washi.h
)
[ -z "$wrong" ] || { echo "$wrong" >&2; exit 1; }
