#!/usr/bin/env bash
# Compiles kstack.bpf.c and puts the object, and what loads it without libbpf, into src/sources/bpf/object.ts. Needs Debian's clang, llvm, gcc and libbpf-dev; the result is the
# same on every machine that has them.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The headers' folder has the name of this machine's architecture, the object does not depend on it.
clang -O2 -g -Wall -Werror -target bpf -fdebug-compilation-dir=. -idirafter "/usr/include/$(uname -m)-linux-gnu" -c bpf/kstack.bpf.c -o "$folder/kstack.o"
llvm-strip -g "$folder/kstack.o"
gcc -O2 -Wall -Werror -o "$folder/make-loader" bpf/make-loader.c -lbpf
"$folder/make-loader" "$folder/kstack.o" "$folder/instructions" "$folder/data" > "$folder/names"

# A file as a string: literal FILE INDENT END
literal() {
  echo
  base64 -w 120 "$1" | sed "s/.*/$2'&' +/"
  echo "$2''$3"
}
# The names of a line as a list: names KIND
names() { sed -n "s/^$1//p" "$folder/names" | sed "s/ \([^ ]*\)/'\1', /g; s/, $//"; }
{
  echo "import type { BpfLoader } from '../../native/bpf-loader.ts';"
  echo
  echo '// Made by bpf/build.sh from bpf/kstack.bpf.c; CI makes it anew and compares.'
  echo "export const BPF_OBJECT =$(literal "$folder/kstack.o" '  ' ';')"
  echo
  echo 'export const BPF_LOADER: BpfLoader = {'
  echo "  maps: [$(names maps)],"
  echo "  programs: [$(names programs)],"
  echo "  instructions:$(literal "$folder/instructions" '    ' ',')"
  echo "  data:$(literal "$folder/data" '    ' ',')"
  echo '};'
} > src/sources/bpf/object.ts
