#!/bin/sh
# Makes 'oled kstack' run this kstack, or undoes that.
#
#   oled-link.sh install | remove
#
# oled (Oracle Linux Enhanced Diagnostics) executes the file 'kstack' of its own folder: /usr/libexec/oled-tools, before
# oled-tools 0.7 /usr/lib/oled-tools. That file becomes a link to the kstack of the PATH, and is kept beside it as
# kstack.oled-tools. An update of oled-tools puts its own back: install again then.
# DESTDIR in the environment stands in front of all paths, for those who make packages.
set -eu

fail() {
  echo "oled-link.sh: $1" >&2
  exit "${2-1}"
}

install_link() {
  target=$(command -v kstack) || fail 'there is no kstack on the PATH'
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
[ -n "$found" ] || fail 'oled-tools is not installed: there is neither /usr/libexec/oled-tools nor /usr/lib/oled-tools'
