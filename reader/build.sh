#!/usr/bin/env bash
# Compiles the reader for x64 and arm64 and puts both into src/native/reader/program.ts. Needs Debian's gcc and
# gcc-aarch64-linux-gnu with their kernel headers; with those, every machine produces the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
compile() { # compile COMPILER OUTPUT [OPTION]
  "$1" ${3:-} -O2 -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter -ffreestanding -fno-stack-protector \
    -fno-asynchronous-unwind-tables -fno-pie -no-pie -static -nostdlib -fno-tree-loop-distribute-patterns \
    -Wl,-z,noseparate-code -Wl,-z,max-page-size=65536 -Wl,-z,noexecstack -Wl,--build-id=none -s \
    -o "$2" reader/reader.c
}
compile x86_64-linux-gnu-gcc "$folder/x64"
compile aarch64-linux-gnu-gcc "$folder/arm64" -mno-outline-atomics
literal() {
  base64 -w 120 "$1" | sed "s/.*/    '&' +/"
  echo "    '',"
}
{
  printf '/** %s %s */\n' \
    'What reads /proc for kstack (reader/), an ELF program by what Node.js calls its architecture, base64.' \
    'Made by reader/build.sh; CI makes it anew and compares.'
  echo 'export const READER: Readonly<Record<string, string>> = {'
  for arch in x64 arm64; do
    echo "  $arch:"
    literal "$folder/$arch"
  done
  echo '};'
} > src/native/reader/program.ts
ls -l "$folder"
