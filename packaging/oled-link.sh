#!/bin/sh
# Makes 'oled kstack' run this kstack, or reverts that.
#
#   oled-link.sh install | remove
#
# oled (Oracle Linux Enhanced Diagnostics) executes the file 'kstack' in its own folder: /usr/libexec/oled-tools, or
# /usr/lib/oled-tools before oled-tools 0.7. This script renames that file to kstack.oled-tools and puts a link to the
# kstack on the PATH in its place. An update of oled-tools restores the file; run this script again then.
# For package builds, DESTDIR in the environment is put in front of all paths.
set -eu

fail() {
  echo "oled-link.sh: $1" >&2
  exit "${2-1}"
}

install_link() {
  target=$(command -v kstack) || fail 'no kstack on the PATH'
  if [ -e "$1/kstack" ] && [ ! -L "$1/kstack" ]; then mv -f "$1/kstack" "$1/kstack.oled-tools"; fi
  ln -sfn "$target" "$1/kstack"
  echo "$1/kstack -> $target"
}

remove_link() {
  if [ -L "$1/kstack" ]; then rm "$1/kstack"; fi
  if [ ! -e "$1/kstack" ] && [ -e "$1/kstack.oled-tools" ]; then mv "$1/kstack.oled-tools" "$1/kstack"; fi
}

case ${1-} in
  install | remove) ;;
  *) fail 'usage: oled-link.sh install | remove' 2 ;;
esac
found=''
for folder in "${DESTDIR-}/usr/libexec/oled-tools" "${DESTDIR-}/usr/lib/oled-tools"; do
  [ -d "$folder" ] || continue
  found=yes
  "$1_link" "$folder"
done
[ -n "$found" ] || fail 'oled-tools is not installed: neither /usr/libexec/oled-tools nor /usr/lib/oled-tools exists'
