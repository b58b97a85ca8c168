/** A place in memory that several processes may have mapped: a file's, and where in it. */
export interface SharedPlace {
  /** Device and inode, as in /proc/PID/maps. */
  readonly file: string;
  readonly offset: bigint;
}

/** A line of /proc/PID/maps (fs/proc/task_mmu.c, show_map_vma; proc_pid_maps(5)). */
const LINE = /^([0-9a-f]+)-([0-9a-f]+) ...([sp]) ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+ \d+)/gm;

interface Mapping {
  readonly from: bigint;
  readonly to: bigint;
  readonly offset: bigint;
  readonly file: string;
}

/** Shared mappings only. */
function* sharedMappings(maps: string): Generator<Mapping> {
  for (const [, from = '', to = '', kind, offset = '', file = ''] of maps.matchAll(LINE))
    if (kind === 's') yield { from: BigInt(`0x${from}`), to: BigInt(`0x${to}`), offset: BigInt(`0x${offset}`), file };
}

/** What an address of a process stands for; undefined if the memory there is its own. */
export function sharedPlaceOf(maps: string, address: bigint): SharedPlace | undefined {
  for (const { from, to, offset, file } of sharedMappings(maps))
    if (from <= address && address < to) return { file, offset: offset + (address - from) };
  return undefined;
}

/** Whether a process has that place mapped. */
export function mapsPlace(maps: string, place: SharedPlace): boolean {
  for (const { from, to, offset, file } of sharedMappings(maps))
    if (file === place.file && offset <= place.offset && place.offset < offset + (to - from)) return true;
  return false;
}
