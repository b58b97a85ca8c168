#!/usr/bin/env bash
# Compiles entry.c for x64 and arm64 into entry-code.mjs. Needs Debian's clang and llvm; with those, every machine
# produces the same bytes.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
options=(-Os -Wall -Werror -ffreestanding -fPIC -fno-stack-protector -fno-jump-tables -fno-unwind-tables
  -fno-asynchronous-unwind-tables -fno-builtin -mno-red-zone -mgeneral-regs-only)
code() {
  clang --target="$1" "${options[@]}" -c entry.c -o "$folder/$1.o"
  # Only .text is copied, and nobody relocates it.
  if llvm-readelf -r "$folder/$1.o" | grep -q R_; then
    echo "$1: the code has relocations: it refers to something outside .text" >&2
    exit 1
  fi
  llvm-objcopy -O binary --only-section=.text "$folder/$1.o" "$folder/$1.bin"
  base64 -w 120 "$folder/$1.bin" | sed "s/.*/    '&' +/"
  echo "    '',"
}
{
  echo '// Made by standalone/build.sh from standalone/entry.c; CI makes it anew and compares.'
  echo 'export const ENTRY_CODE = {'
  echo '  x64:'
  code x86_64-linux-gnu
  echo '  arm64:'
  code aarch64-linux-gnu
  echo '};'
} > "$folder/entry-code.mjs"
mv "$folder/entry-code.mjs" entry-code.mjs
