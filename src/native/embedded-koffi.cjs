// Stands in for koffi in the executable of its own (build-standalone.mjs): loads the native part that lies inside. The dynamic linker wants a file, so
// it gets one without a name, which goes with the process; a file with a name in /tmp could be one that somebody else has put there.
const { closeSync, constants, openSync, readFileSync, writeSync } = require('node:fs');

const FOLDERS = ['/dev/shm', '/run', '/tmp', '/var/tmp'];
/** __O_TMPFILE of include/uapi/asm-generic/fcntl.h. */
const UNNAMED = constants.O_RDWR | constants.O_DIRECTORY | 0o20000000;

const bytes = readFileSync(require('./koffi.bin'));
const failures = [];
for (const folder of FOLDERS) {
  try {
    const fd = openSync(folder, UNNAMED, 0o600);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      process.dlopen(module, `/proc/self/fd/${fd}`);
    } finally {
      closeSync(fd);
    }
    break;
  } catch (error) {
    failures.push(`${folder}: ${error.message}`);
  }
}
if (failures.length === FOLDERS.length)
  throw new Error(`cannot load the native part: no folder that takes files to execute (${failures.join('; ')})`);
