#!/bin/sh
# /init of a guest. Makes tasks that wait, records in /out what kstack and /proc say of them, and sends that over the
# console. It judges nothing: checks.mjs does, on the host.
export PATH=/bin HOME=/ LC_ALL=C
# All takes ten times as long as on a machine that is not emulated.
export KSTACK_EDGES_MS=15000
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /out /run /tmp
dmesg -n 1
hostname guest
step() { read -r uptime _ </proc/uptime; echo "@step $uptime $*"; }
step boot "$(uname -r)"
cd /modules || step 'no modules'
for module in $(cat order); do insmod "$module" || step "no module $module"; done
cd /

# record NAME COMMAND...: what it prints, and "EXIT_CODE STARTED ENDED" in seconds since boot. A command that not even
# SIGKILL ends is for the host, which gives up on the whole guest.
record() {
  name=$1; shift
  step "$name: $*"
  read -r from _ </proc/uptime
  timeout -s KILL 30 "$@" >"/out/$name.out" 2>"/out/$name.err" </dev/null
  code=$?
  read -r to _ </proc/uptime
  echo "$code $from $to" >"/out/$name.run"
}
# fixture NAME INPUT COMMAND...: in the background until the guest ends; returns when it is ready.
fixture() {
  name=$1; input=$2; shift 2
  read -r from _ </proc/uptime
  { printf '%s\n' "$input"; exec sleep 100000; } | "$@" >"/out/$name.ready" 2>&1 &
  await_ready
}
await_ready() {
  tries=0
  until grep -q ready "/out/$name.ready" || [ $tries -gt 300 ]; do sleep 0.05; tries=$((tries + 1)); done
  read -r to _ </proc/uptime
  echo "$(cat "/out/$name.ready") from $from to $to" >"/out/$name.ready"
}

fixture early early tasks comm
for what in vfork-chain vfork-of-nobody thread-in-vfork thread leaderless stopped traced zombie; do
  fixture $what '' tasks $what
done
fixture named 'a) D 1 (\n\xff' tasks comm
fixture crowd '' tasks crowd 12
step fixtures

# First, so that all others find the executable warm. There is neither an /etc nor a hierarchy of control groups yet.
record bare kstack -p 1 -f long
mkdir /etc
mount -t cgroup2 none /sys/fs/cgroup
fixture late late tasks comm
grep btime /proc/stat >/out/btime
echo 'root:x:0:0:root:/:/bin/sh' >/etc/passwd
for source in procfs bpf; do
  look >/out/$source.before
  record $source.json kstack -aL -f json --source $source
  record $source.text kstack -a --source $source
  look >/out/$source.after
done
record ahead kstack -aL --source procfs -v
record long kstack -a -f long -v
for format in jsonl folded pprof speedscope perfetto firefox; do record $format kstack -aL -f $format; done

# A frozen file system: reads of command lines and stacks hang.
look >/out/sick.before
read -r from _ </proc/uptime
name=mmap-lock
mkfifo /run/mmap-lock
mmap-lock /fixture 2 exec </run/mmap-lock >/out/mmap-lock.ready 2>&1 &
lock=$!
exec 8>/run/mmap-lock
await_ready
step mmap-lock
set -- $(sed 's/ from.*//' /out/mmap-lock.ready)
reading_hangs() { timeout -s KILL 1 cat "/proc/$1" >/dev/null 2>&1; echo $? >>/out/hanging; }
reading_hangs $2/cmdline & reading_hangs $4/stack & wait $!
# Between parentheses as scripts do it: what keeps standard output open would hold up the shell.
for source in procfs bpf; do
  record sick.$source.all sh -c "text=\$(kstack -a --source $source); code=\$?; echo \"\$text\"; exit \$code"
done
record sick.long kstack -DL -f long
record sick.why kstack why -f json
exec 8>&-
wait $lock
look >/out/sick.after

# Who holds up whom. They count after three seconds, which the device takes.
fixture deadlock '' user-locks deadlock
fixture flock '' file-locks flock /tmp/lock 2
fixture pipeline '' streams pipeline

# A suspended device of the device mapper beneath a file system; the second time, frozen.
for freeze in '' freeze; do
  name=dm$freeze
  mkdir /tmp/$name
  cp /fixture/image /tmp/$name
  mkfifo /run/$name
  dm-suspended /tmp/$name $freeze </run/$name >/out/$name.ready 2>&1 &
  dm=$!
  exec 8>/run/$name
  await_ready
  step "$name"
  device=$name
  for source in procfs bpf; do record $device.$source kstack -aL -f json --source $source; done
  [ -n "$freeze" ] || for source in procfs bpf; do record why.$source kstack why -f json --source $source; done
  exec 8>&-
  wait $dm
done

dmesg >/out/dmesg
cp /proc/version /out/version
stty raw 2>/dev/null
echo @results
tar -cz -C /out . | base64
# The host ends the guest. One that ended itself would cut off what its console has not sent yet.
echo @end
sleep 100000
