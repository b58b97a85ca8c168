# Before a removal. Stops the recorder, and gives 'oled kstack' back to oled-tools.
for link in /usr/libexec/oled-tools/kstack /usr/lib/oled-tools/kstack; do
  case $(readlink "$link" || true) in
    /usr/bin/kstack | /bin/kstack) /usr/share/kstack/oled-link.sh remove ;;
  esac
done
if [ -d /run/systemd/system ]; then
  systemctl disable --now kstack.service || true
elif command -v systemctl > /dev/null; then
  systemctl disable kstack.service || true
fi
