// What is used of hyparquet-writer, in a file of its own: the build keeps it apart from the command.
export { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
export { ParquetWriter } from 'hyparquet-writer/src/parquet-writer.js';
