import { open } from 'node:fs/promises';
import { ENTRY_CODE } from './entry-code.mjs';

/** Offsets in the headers of a 64-bit ELF file (elf(5)). */
const HEADER = { type: 16, entry: 24, programHeaders: 32, programHeaderBytes: 54, programHeaderCount: 56, bytes: 64 };
const SEGMENT = {
  type: 0,
  flags: 4,
  offset: 8,
  address: 16,
  physicalAddress: 24,
  fileBytes: 32,
  memoryBytes: 40,
  alignment: 48,
};
/** An executable with fixed addresses. */
const ET_EXEC = 2;
const PT_LOAD = 1;
const PT_NOTE = 4;
const READ_EXECUTE = 5;
/** The first text in the table of entry.c; three numbers stand in front of it. */
const TABLE = Buffer.from('kstack: /proc is not mounted');

/**
 * Makes an executable of Bun start with the code of entry.c, which is appended to the file. The code takes over the
 * segment of the note, which only debuggers use.
 */
export async function addEntry(file, arch, reader) {
  const entry = Buffer.from(ENTRY_CODE[arch], 'base64');
  const code = Buffer.concat([entry, reader]);
  const executable = await open(file, 'r+');
  try {
    const header = Buffer.alloc(HEADER.bytes);
    await executable.read(header, 0, HEADER.bytes, 0);
    const count = header.readUInt16LE(HEADER.programHeaderCount);
    const bytes = header.readUInt16LE(HEADER.programHeaderBytes);
    const table = Buffer.alloc(count * bytes);
    const tableAt = Number(header.readBigUInt64LE(HEADER.programHeaders));
    await executable.read(table, 0, table.length, tableAt);
    const segments = Array.from({ length: count }, (_, index) => table.subarray(index * bytes, (index + 1) * bytes));
    const loaded = segments.filter((segment) => segment.readUInt32LE(SEGMENT.type) === PT_LOAD);
    const own = segments.at(-1);
    // Loaded segments must be sorted by address. The new one gets the highest, so it must be the last.
    if (
      header.readUInt16LE(HEADER.type) !== ET_EXEC ||
      loaded.length === 0 ||
      own?.readUInt32LE(SEGMENT.type) !== PT_NOTE
    )
      throw new Error(`${file}: unexpected layout (has Bun's executable format changed?)`);
    const alignment = Number(loaded[0].readBigUInt64LE(SEGMENT.alignment));
    const up = (number) => Math.ceil(number / alignment) * alignment;
    const end = (segment) =>
      Number(segment.readBigUInt64LE(SEGMENT.address) + segment.readBigUInt64LE(SEGMENT.memoryBytes));
    const address = up(Math.max(...loaded.map(end)));
    const offset = up((await executable.stat()).size);
    const numbers = entry.indexOf(TABLE) - 24;
    code.writeBigUInt64LE(header.readBigUInt64LE(HEADER.entry), numbers);
    code.writeBigUInt64LE(BigInt(entry.length - numbers), numbers + 8);
    code.writeBigUInt64LE(BigInt(reader.length), numbers + 16);
    own.writeUInt32LE(PT_LOAD, SEGMENT.type);
    own.writeUInt32LE(READ_EXECUTE, SEGMENT.flags);
    own.writeBigUInt64LE(BigInt(offset), SEGMENT.offset);
    for (const field of [SEGMENT.address, SEGMENT.physicalAddress]) own.writeBigUInt64LE(BigInt(address), field);
    for (const field of [SEGMENT.fileBytes, SEGMENT.memoryBytes]) own.writeBigUInt64LE(BigInt(code.length), field);
    own.writeBigUInt64LE(BigInt(alignment), SEGMENT.alignment);
    header.writeBigUInt64LE(BigInt(address), HEADER.entry);
    await executable.write(code, 0, code.length, offset);
    await executable.write(table, 0, table.length, tableAt);
    await executable.write(header, 0, HEADER.bytes, 0);
  } finally {
    await executable.close();
  }
}
