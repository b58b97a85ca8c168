#!/usr/bin/env bash
# Compiles kstack.bpf.c and puts the object into src/sources/bpf/object.ts. Needs Debian's clang, llvm and libbpf-dev; the result is the same on every machine that has them.
set -euo pipefail
cd "$(dirname "$0")/.."
object=$(mktemp)
trap 'rm -f "$object"' EXIT
# The headers' folder has the name of this machine's architecture, the object does not depend on it.
clang -O2 -g -Wall -Werror -target bpf -fdebug-compilation-dir=. -idirafter "/usr/include/$(uname -m)-linux-gnu" -c bpf/kstack.bpf.c -o "$object"
llvm-strip -g "$object"
{
  echo '// Made by bpf/build.sh from bpf/kstack.bpf.c; CI makes it anew and compares.'
  echo 'export const BPF_OBJECT ='
  base64 -w 120 "$object" | sed "s/.*/  '&' +/"
  echo "  '';"
} > src/sources/bpf/object.ts
