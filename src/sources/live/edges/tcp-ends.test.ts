import { describe, expect, it } from 'vitest';
import { parseTcpRows } from '../procfs/sockets.ts';
import { TcpTable } from './tcp-ends.ts';

const REST = '00000000:00000000 00:00000000 00000000     0        0';
const HEADING = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const row = (local: string, remote: string, state: string, inode: number) =>
  `   0: ${local} ${remote} ${state} ${REST} ${inode} 1 0000000000000000 20 4 30 10 -1\n`;
const table = (...rows: readonly string[]) => new TcpTable(parseTcpRows(HEADING + rows.join('')));

const SERVER = '0100007F:1F90';
const CLIENT = '0100007F:C350';
const REMOTE = '0500000A:1538';
const LISTENER = row(SERVER, '00000000:0000', '0A', 30);

describe('the other end of a TCP socket', () => {
  it('is the row with its addresses swapped', () => {
    const tcp = table(row(CLIENT, SERVER, '01', 10), row(SERVER, CLIENT, '01', 20), LISTENER);
    expect(tcp.endsOf('10')).toEqual([{ socket: '20', text: 'tcp 127.0.0.1:50000 -> 127.0.0.1:8080' }]);
    expect(tcp.endsOf('20')).toEqual([{ socket: '10', text: 'tcp 127.0.0.1:8080 -> 127.0.0.1:50000' }]);
  });

  it.each([
    ['established', [row(CLIENT, SERVER, '01', 10), row(SERVER, CLIENT, '01', 0)]],
    ['in the middle of the handshake', [row(CLIENT, SERVER, '01', 10), row(SERVER, CLIENT, '03', 0)]],
    ['not even seen by the server', [row(CLIENT, SERVER, '02', 10)]],
  ])('is the socket that listens while it is accepted by nobody: %s', (_, rows) => {
    const anyAddress = row('00000000:1F90', '00000000:0000', '0A', 31);
    const otherPort = row('0100007F:1F91', '00000000:0000', '0A', 32);
    expect(table(...rows, anyAddress, otherPort, LISTENER).endsOf('10')).toMatchObject([
      { socket: '30', accepts: true },
    ]);
    expect(table(...rows, anyAddress, otherPort).endsOf('10')).toMatchObject([{ socket: '31', accepts: true }]);
    expect(table(...rows, otherPort).endsOf('10')).toEqual([]);
  });

  it('is nobody if it is closed', () => {
    const tcp = table(row(CLIENT, SERVER, '08', 10), row(SERVER, CLIENT, '05', 0), LISTENER);
    expect(tcp.endsOf('10')).toEqual([]);
  });

  it('is a server if it is elsewhere, and unknown of a socket that is not in the table or listens', () => {
    const tcp = table(row('0600000A:C350', REMOTE, '01', 10), LISTENER);
    const connection = { local: '10.0.0.6:50000', remote: '10.0.0.5:5432' };
    expect(tcp.endsOf('10')).toEqual([{ server: '10.0.0.5:5432', connection }]);
    expect(tcp.endsOf('30')).toEqual([]);
    expect(tcp.endsOf('99')).toEqual([]);
  });

  it('is in the table of another network namespace, accepted or not', () => {
    const connection = { local: '10.0.0.6:50000', remote: '10.0.0.5:5432' };
    const listener = row('00000000:1538', '00000000:0000', '0A', 40);
    const at = (...rows: string[]) => table(listener, ...rows).endsFor(connection);
    expect(at(row(REMOTE, '0600000A:C350', '01', 20))).toMatchObject([{ socket: '20' }]);
    expect(at(row(REMOTE, '0600000A:C350', '01', 0))).toMatchObject([{ socket: '40' }]);
    expect(at(row(REMOTE, '0600000A:C350', '06', 0))).toEqual([]);
    // Who listens at that port there need not be who is asked.
    expect(at()).toEqual([]);
  });

  it('is found where one end is IPv4 and the other one IPv4 in IPv6', () => {
    const mapped = '0000000000000000FFFF00000100007F';
    const tcp = table(row(CLIENT, SERVER, '01', 10), row(`${mapped}:1F90`, `${mapped}:C350`, '01', 20));
    expect(tcp.endsOf('10')).toMatchObject([{ socket: '20' }]);
  });
});
