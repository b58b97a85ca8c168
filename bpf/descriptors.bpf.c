/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Writes a record for each descriptor, of any process, of a wanted pipe, FIFO or socket, and of each UNIX socket that is
 * connected to a wanted one. Takes no lock that a task could hold for long. Needs Linux 5.11. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "descriptors.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/fs.h */
struct super_block {
	__u32 s_dev;
	unsigned long s_magic;
};

struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
	struct super_block *i_sb;
};

struct file {
	unsigned int f_mode;
	struct inode *f_inode;
	void *private_data;
};

/* include/linux/net.h, include/net/sock.h */
struct sock;

struct socket {
	struct file *file;
	struct sock *sk;
};

struct sock_common {
	unsigned short skc_family;
};

struct sock {
	struct sock_common __sk_common;
	struct socket *sk_socket;
};

/* include/net/af_unix.h; may be in a module, whose types a program cannot refer to */
struct unix_sock {
	struct sock *peer;
};

/* include/linux/sched.h */
struct task_struct {
	int pid;
	int tgid;
};

#pragma clang attribute pop

/* include/linux/bpf.h: the context of an iterator's program, an interface with fixed offsets */
struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u64 fd; /* its lower half */
	struct file *file;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MOST_WANTED);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct open_file);
	__type(value, __u8);
} wanted SEC(".maps");

/* The inode of the socket that a UNIX socket is connected to; 0 if there is none, or if no program has it open. */
static __u64 peer_of(struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);
	struct sock *sock, *peer;

	if (!bpf_core_field_exists(((struct unix_sock *)0)->peer))
		return 0;
	sock = BPF_CORE_READ(socket, sk);
	if (!sock || BPF_CORE_READ(sock, __sk_common.skc_family) != AF_UNIX)
		return 0;
	peer = BPF_CORE_READ((struct unix_sock *)sock, peer);
	return peer ? BPF_CORE_READ(peer, sk_socket, file, f_inode, i_ino) : 0;
}

static int is_wanted(const struct open_file *file)
{
	return bpf_map_lookup_elem(&wanted, file) != 0;
}

SEC("iter/task_file")
int descriptors(struct bpf_iter__task_file *context)
{
	struct bpf_iter_meta *meta = context->meta;
	struct task_struct *task = context->task;
	struct file *file = context->file;
	struct descriptor record = {};
	struct open_file peer = {};
	struct inode *inode;
	__u64 magic;
	__u32 type;

	if (!task || !file)
		return 0;
	/* A read that has visited a million descriptors and has nothing to return fails (kernel/bpf/bpf_iter.c,
	 * bpf_seq_read). */
	if (meta->seq_num % SIGN_OF_LIFE == SIGN_OF_LIFE - 1)
		bpf_seq_write(meta->seq, &record, sizeof record);
	inode = BPF_CORE_READ(file, f_inode);
	type = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	if (type != S_IFIFO && type != S_IFSOCK)
		return 0;
	record.file.inode = BPF_CORE_READ(inode, i_ino);
	magic = BPF_CORE_READ(inode, i_sb, s_magic);
	if (magic != PIPEFS_MAGIC && magic != SOCKFS_MAGIC)
		record.file.device = BPF_CORE_READ(inode, i_sb, s_dev);
	if (magic == SOCKFS_MAGIC) {
		peer.inode = peer_of(file);
		record.peer = peer.inode;
	}
	if (!is_wanted(&record.file) && (peer.inode == 0 || !is_wanted(&peer)))
		return 0;
	record.pid = BPF_CORE_READ(task, tgid);
	record.tid = BPF_CORE_READ(task, pid);
	record.fd = context->fd;
	record.mode = BPF_CORE_READ(file, f_mode) & (FMODE_READ | FMODE_WRITE);
	bpf_seq_write(meta->seq, &record, sizeof record);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
