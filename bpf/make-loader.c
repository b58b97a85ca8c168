/* SPDX-License-Identifier: MIT */
/* Turns an object into a loader program and its data, which bpftool(8) calls a light skeleton. Run in the kernel, the
 * loader program creates the maps and loads the programs, without a library and without reading the kernel's types
 * (Linux 5.14, or 5.17 for objects that refer to kernel types). Used by build.sh.
 *
 *   make-loader OBJECT INSTRUCTIONS DATA
 *
 * Writes the two files, and prints the names of maps and programs in the order in which the loader returns their
 * descriptors. */
#include <bpf/libbpf.h>
#include <stdio.h>

static int put(const char *path, const void *bytes, size_t length)
{
	FILE *file = fopen(path, "w");

	return file && fwrite(bytes, 1, length, file) == length && fclose(file) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	/* the default is the file's name, which differs with each build */
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "kstack");
	LIBBPF_OPTS(gen_loader_opts, loader);
	struct bpf_object *object;
	struct bpf_map *map;
	struct bpf_program *program;

	if (argc != 4) {
		fputs("usage: make-loader OBJECT INSTRUCTIONS DATA\n", stderr);
		return 2;
	}
	object = bpf_object__open_file(argv[1], &options);
	if (!object || bpf_object__gen_loader(object, &loader) || bpf_object__load(object))
		return 1;
	if (put(argv[2], loader.insns, loader.insns_sz) || put(argv[3], loader.data, loader.data_sz)) {
		perror("make-loader");
		return 1;
	}
	fputs("maps", stdout);
	bpf_object__for_each_map(map, object)
		printf(" %s", bpf_map__name(map));
	fputs("\nprograms", stdout);
	bpf_object__for_each_program(program, object)
		printf(" %s", bpf_program__name(program));
	puts("");
	return 0;
}
