#!/bin/sh
# Exchanges files with other implementations, in both directions and to the last bit: npy with NumPy; safetensors
# with two readers of the npm registry, and with the format's reference implementation where Rust's registry can be
# reached. What cannot be had is said and left out. Everything fetched stays in a temporary folder.
# usage: sh tools/test-files.sh     builds in ${WASHI_BUILD:-build}-gcc
# SAFETENSORS_CRATE: a folder with the sources of the reference implementation, in place of the registry's
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${WASHI_BUILD:-$root/build}-gcc
[ $# = 0 ] || { echo "test-files: '$1' is not an option" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
left_out=

sh "$root/tools/setup.sh" --files
[ -f "$build/build.ninja" ] || CC=gcc meson setup "$build" "$root"
ninja -C "$build" build.ninja >/dev/null # so that meson knows new targets
meson compile -C "$build" exchange
exchange=$build/tests/exchange
cd "$work"

say() { printf '\n== %s\n' "$*"; }
same() { # what, wanted, given: files, which are not empty
  if [ ! -s "$2" ] || ! cmp -s "$2" "$3"; then
    echo "FAIL  $1: wanted <, given >" >&2
    diff "$2" "$3" >&2
    exit 1
  fi
  echo "ok    $1: $(wc -l <"$2") arrays"
}

say "NumPy"
cat >exchange.py <<'PYTHON'
import subprocess, sys, numpy as np
exchange = sys.argv[1]
ours = {'f': np.float32, 'f8': np.float64, 'u1': np.uint8, 'b1': np.uint8}
random, count = np.random.default_rng(1), 0
def run(*words):
    return subprocess.run([exchange, *words], check=True, capture_output=True, text=True).stdout
for kind in ['f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'b1']:
    want = np.dtype(ours.get(kind, ours['f'] if kind[0] == 'f' else np.int32))
    for order in '<>':
        for shape in [(), (7,), (3, 5), (2, 3, 4), (4, 0), (2, 1, 3, 1, 2, 1, 2, 2)]:
            for fortran in [False, True]:
                for version in [(1, 0), (2, 0), (3, 0)]:
                    size = int(np.prod(shape))
                    if kind[0] == 'f': # any bits, but NaN, whose payloads NumPy need not keep when it converts
                        a = np.frombuffer(random.bytes(size * int(kind[1])), kind).reshape(shape)
                        a = np.where(np.isnan(a), np.inf, a)
                    else:
                        top = {'b1': 2, 'u1': 256, 'u2': 65536, 'i1': 128, 'i2': 32768}.get(kind, 2 ** 31)
                        a = random.integers(-top if kind[0] == 'i' else 0, top, shape)
                    a = np.asarray(a, order + kind, order='F' if fortran else 'C')
                    with open('a.npy', 'wb') as f:
                        np.lib.format.write_array(f, a, version)
                    b = np.ascontiguousarray(a).astype(want).reshape(shape)
                    sizes = ','.join(map(str, shape))
                    name = {'float32': 'f32', 'float64': 'f64', 'int32': 'i32', 'uint8': 'u8'}[want.name]
                    assert run('show', 'a.npy') == f'array {name} [{sizes}] {b.tobytes().hex()}\n', (a, version)
                    run('copy', 'a.npy', 'b.npy')
                    c = np.load('b.npy', allow_pickle=False)
                    assert c.dtype == want and c.shape == shape and c.tobytes() == b.tobytes(), (a, c)
                    count += 1
print('ok    npy, there and back:', count, 'files, NumPy', np.__version__)
PYTHON
python=
for candidate in python3 /usr/bin/python3; do
  if $candidate -c 'import numpy' 2>/dev/null; then python=$candidate && break; fi
done
if [ -n "$python" ]; then $python exchange.py "$exchange"; else left_out="$left_out NumPy"; fi

say "safetensors: readers of the npm registry"
cat >make.c <<'END_OF_C'
#include <stdio.h>
#include <washi.h>
int main(void)
{
    static unsigned char bytes[256];
    washi *w;
    for (int i = 0; i < 256; i++) bytes[i] = (unsigned char)(i * i % 251 % 64); /* no NaN among them */
    washi_named_array a[] = {
        {"dense/kernel", {WASHI_F32, {2, {5, 4}}, bytes}}, {"dense/bias", {WASHI_F32, {1, {4}}, bytes + 80}},
        {"double", {WASHI_F64, {2, {4, 3}}, bytes + 96}},  {"a \"\\\xc3\xa9", {WASHI_I32, {1, {3}}, bytes}},
        {"bytes", {WASHI_U8, {3, {2, 3, 5}}, bytes}},      {"scalar", {WASHI_F32, {0}, bytes + 4}},
    };
    washi_metadata m[] = {{"format", "washi"}, {"a\nb", "\"c\""}};
    if (washi_open(&w, NULL)) return 1;
    const int bad = washi_write_safetensors(w, "plain.safetensors", &(washi_safetensors){6, 0, a, m, NULL, 0}) ||
                    washi_write_safetensors(w, "ours.safetensors", &(washi_safetensors){6, 2, a, m, NULL, 0});
    if (bad) fputs(washi_message(), stderr);
    washi_close(w);
    return bad;
}
END_OF_C
gcc -I"$root/lib" make.c -o make -L"$build" -lwashi -Wl,-rpath,"$build"
./make
"$exchange" show ours.safetensors | sort >ours.txt
cat >show.mjs <<'NODE'
import {readFileSync} from 'node:fs'
const [which, path] = process.argv.slice(2), bytes = new Uint8Array(readFileSync(path))
const line = (name, type, shape, data) => console.log(name, type.toLowerCase(), `[${shape}]`,
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex'))
if (which === 'safetensors') {
  const {SafeTensor} = await import('./node_modules/safetensors/dist/safetensors.es.js'), file = new SafeTensor(bytes)
  for (const [name, t] of file.metadata) line(name, t.dtype, t.shape, file.getTensor(name))
} else {
  const {safetensors} = await import('@jax-js/loaders'), file = safetensors.parse(bytes)
  for (const [name, t] of Object.entries(file.tensors)) line(name, t.dtype, t.shape, t.data)
  if (file.metadata['a\nb'] !== '"c"') throw new Error('metadata')
}
NODE
npm_reads() { # name, version, file
  if command -v node >/dev/null && command -v npm >/dev/null &&
    npm install --silent --ignore-scripts --no-audit --no-fund "$1@$2" >npm.log 2>&1; then
    node show.mjs "$1" "$3" | sort >theirs.txt
    same "npm's $1 $2 reads ours" ours.txt theirs.txt
  else
    left_out="$left_out npm:$1"
  fi
}
echo '{"private": true}' >package.json
npm_reads safetensors 0.0.1 plain.safetensors # it takes metadata for a tensor
npm_reads @jax-js/loaders 0.1.1 ours.safetensors

say "safetensors: the reference implementation"
mkdir -p crate/src
crate='"0.4"'
[ -z "${SAFETENSORS_CRATE-}" ] || crate="{ path = \"$SAFETENSORS_CRATE\" }"
cat >crate/Cargo.toml <<TOML
[package]
name = "reference"
version = "0.0.0"
edition = "2021"
[dependencies]
safetensors = $crate
TOML
cat >crate/src/main.rs <<'RUST'
use safetensors::tensor::{serialize_to_file, Dtype, SafeTensors, TensorView};
fn show(path: &str) {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for name in file.names() {
        let t = file.tensor(name).unwrap();
        let hex: String = t.data().iter().map(|b| format!("{:02x}", b)).collect();
        let sizes: Vec<String> = t.shape().iter().map(|n| n.to_string()).collect();
        println!("{} {} [{}] {}", name, format!("{:?}", t.dtype()).to_lowercase(), sizes.join(","), hex);
    }
}
fn write(path: &str, only_model: bool) {
    let all = [("dense/kernel", Dtype::F32, vec![5, 4]), ("dense/bias", Dtype::F32, vec![4]),
        ("dense_1/kernel", Dtype::F32, vec![4, 3]), ("dense_1/bias", Dtype::F32, vec![3]),
        ("double", Dtype::F64, vec![2, 2]), ("int", Dtype::I32, vec![3]), ("byte \"\n\u{e9}", Dtype::U8, vec![2, 0, 3]),
        ("one", Dtype::U8, vec![])];
    let bytes: Vec<u8> = (0..256).map(|i| (i * 7 % 61) as u8).collect();
    let views: Vec<(&str, TensorView)> = all.iter().take(if only_model { 4 } else { 8 }).enumerate().map(|(i, (name, dtype, shape))| {
        let size = shape.iter().product::<usize>() * match dtype { Dtype::F64 => 8, Dtype::U8 => 1, _ => 4 };
        (*name, TensorView::new(*dtype, shape.clone(), &bytes[i..i + size]).unwrap())
    }).collect();
    let metadata = [("format".to_string(), "pt".to_string())].into_iter().collect();
    serialize_to_file(views, Some(metadata), std::path::Path::new(path)).unwrap();
}
fn main() {
    let words: Vec<String> = std::env::args().collect();
    match words[1].as_str() { "show" => show(&words[2]), "write" => write(&words[2], false), _ => write(&words[2], true) }
}
RUST
if [ -n "${SAFETENSORS_CRATE-}" ] && [ -d /usr/share/cargo/registry ]; then # Debian's crates for what it needs
  mkdir -p crate/.cargo
  printf '[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "/usr/share/cargo/registry"\n' \
    >crate/.cargo/config.toml
fi
if command -v cargo >/dev/null && (cd crate && cargo build --quiet --release 2>../cargo.log); then
  reference=$work/crate/target/release/reference
  "$reference" show ours.safetensors | sort >theirs.txt
  same "the reference reads ours" ours.txt theirs.txt
  "$reference" write theirs.safetensors
  "$reference" show theirs.safetensors | sort >theirs.txt
  "$exchange" show theirs.safetensors | sort >ours.txt
  same "we read the reference's" theirs.txt ours.txt
  "$exchange" copy theirs.safetensors copy.safetensors
  "$reference" show copy.safetensors | sort >ours.txt
  same "the reference reads our copy of it" theirs.txt ours.txt
  "$reference" model model.safetensors
  "$exchange" model model.safetensors saved.safetensors
  "$reference" show model.safetensors | sort >theirs.txt
  "$reference" show saved.safetensors | sort >ours.txt
  same "a model takes the reference's weights, and saves them" theirs.txt ours.txt
else
  left_out="$left_out reference"
fi

[ -z "$left_out" ] || printf '\nLeft out, as it cannot be had here:%s\n' "$left_out"
