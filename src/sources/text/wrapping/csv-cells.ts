export interface Row {
  readonly cells: readonly string[];
  /** The quote around the last cell is not closed: it goes on in the next line. */
  readonly isOpen: boolean;
}

/**
 * The cells of a row of CSV (RFC 4180). The last one of `columns` may have the delimiter in it. Undefined if there are
 * more, or a quote is closed within a cell.
 */
export function cellsOf(line: string, delimiter: string, columns: number): Row | undefined {
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    if (line[at] === '"') {
      let end = line.indexOf('"', at + 1);
      while (end !== -1 && line[end + 1] === '"') end = line.indexOf('"', end + 2);
      cells.push(line.slice(at + 1, end === -1 ? line.length : end).replaceAll('""', '"'));
      if (end === -1) return { cells, isOpen: true };
      at = end + 1;
    } else {
      const end = cells.length + 1 === columns ? -1 : line.indexOf(delimiter, at);
      cells.push(line.slice(at, end === -1 ? line.length : end));
      at = end === -1 ? line.length : end;
    }
    if (at >= line.length) return { cells, isOpen: false };
    if (line[at] !== delimiter || cells.length >= columns) return undefined;
    at++;
  }
}
