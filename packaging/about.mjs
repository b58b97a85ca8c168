// What both kinds of packages say of themselves.

export const SUMMARY = 'shows which Linux tasks wait in the kernel, for what, and who holds them up';

export const DESCRIPTION = `kstack shows which tasks wait in the kernel, where, for what, since when, and who
holds them up. It answers on the sick host itself, even when ps and top hang,
records for later, and explains stacks from logs and tickets. This package has
one executable with all that it needs but the C library, and a unit for systemd
that records for as long as the host is up, which is not enabled.`;

/** The oldest C library that has all that the executable asks for. */
export const GLIBC = '2.17';

export const MAINTAINER = 'The kstack authors <kstack@kstack.invalid>';
