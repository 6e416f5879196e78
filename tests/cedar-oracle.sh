#!/usr/bin/env bash
# Fetches the official Cedar implementation as WebAssembly, for the tests that compare with it. Without it (or without npm) those tests are skipped.
# Prints where it lies.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")"
version=4.12.0
digest=a7c93cd3af0721125d0a758a644b4cd9a4c111bed2af2a6be9a1356b34f762f0
target=$PWD/.oracle/cedar-$version.wasm
if [ ! -f "$target" ]; then
  command -v npm >/dev/null || { echo "There is no npm to fetch the official Cedar implementation with." >&2; exit 1; }
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  (cd "$work" && npm pack --silent "@cedar-policy/cedar-wasm@$version" >/dev/null && tar -xzf ./*.tgz package/esm/cedar_wasm_bg.wasm)
  mkdir -p .oracle
  echo "$digest  $work/package/esm/cedar_wasm_bg.wasm" | sha256sum --check --quiet
  mv "$work/package/esm/cedar_wasm_bg.wasm" "$target"
fi
echo "$target"
