# After a removal. Recordings are evidence: not even a purge removes them.
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
if [ -d /var/log/kstack ]; then
  echo 'kstack: the recordings in /var/log/kstack are kept; to remove them: rm -r /var/log/kstack'
fi
