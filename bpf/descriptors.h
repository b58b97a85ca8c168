/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What descriptors.bpf.c and src/sources/live/bpf/descriptors.ts exchange, in the machine's byte order. */
#pragma once

enum {
	MOST_WANTED = 16384,
	SIGN_OF_LIFE = 65536, /* after so many descriptors there is a record of PID 0 */
};

/* include/uapi/linux/stat.h, magic.h; include/linux/fs.h, socket.h */
enum {
	S_IFMT = 0170000,
	S_IFIFO = 0010000,
	S_IFSOCK = 0140000,
	PIPEFS_MAGIC = 0x50495045,
	SOCKFS_MAGIC = 0x534f434b,
	FMODE_READ = 1,
	FMODE_WRITE = 2,
	AF_UNIX = 1,
};

struct open_file {
	__u64 inode;
	__u64 device; /* of a FIFO: major << 20 | minor; 0 for pipes and sockets without a name in a file system */
};

struct descriptor {
	struct open_file file;
	__u64 peer; /* the inode of the UNIX socket it is connected to, or 0 */
	__u32 pid, tid, fd;
	__u32 mode; /* FMODE_READ, FMODE_WRITE */
};
