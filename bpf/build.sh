#!/usr/bin/env bash
# Compiles each *.bpf.c of this folder, and puts the objects and their loader programs into
# src/sources/live/bpf/object.ts. Needs Debian's clang, llvm, gcc and libbpf-dev; with those, every machine produces the
# same bytes. The objects hold line numbers and source lines (BTF), so even a moved line changes them.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
gcc -O2 -Wall -Werror -o "$folder/make-loader" bpf/make-loader.c -lbpf

# literal FILE: prints the file as a base64 string.
literal() {
  base64 -w 112 "$1" | sed "s/.*/    '&' +/"
  echo "    '',"
}
# names maps|programs: prints the names as a list.
names() { sed -n "s/^$1//p" "$folder/names" | sed "s/ \([^ ]*\)/'\1', /g; s/, $//"; }
{
  echo "import type { BpfObject } from '../../../native/bpf-loader.ts';"
  echo
  echo '// Made by bpf/build.sh from bpf/*.bpf.c; CI makes it anew and compares.'
  for source in bpf/*.bpf.c; do
    name=$(basename "$source" .bpf.c)
    # The header folder is named after this machine's architecture, but the object does not depend on it.
    clang -O2 -g -Wall -Werror -target bpf -fdebug-compilation-dir=. -idirafter "/usr/include/$(uname -m)-linux-gnu" \
      -c "$source" -o "$folder/$name.o"
    llvm-strip -g "$folder/$name.o"
    "$folder/make-loader" "$folder/$name.o" "$folder/instructions" "$folder/data" > "$folder/names"
    constant=${name^^}
    echo
    echo "export const ${constant//-/_}: BpfObject = {"
    echo "  maps: [$(names maps)],"
    echo "  programs: [$(names programs)],"
    echo '  instructions:'
    literal "$folder/instructions"
    echo '  data:'
    literal "$folder/data"
    echo '  elf:'
    gzip -n9 "$folder/$name.o"
    literal "$folder/$name.o.gz"
    echo '};'
  done
} > src/sources/live/bpf/object.ts
