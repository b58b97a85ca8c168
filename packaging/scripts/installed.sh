# After an installation or an upgrade. The recorder is neither enabled nor started; one that runs is started anew.
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload || true
if [ -n "$upgraded" ]; then systemctl try-restart kstack.service || true; fi
