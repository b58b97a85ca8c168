// What must be told of those who wait for a file system whose device is suspended.
import assert from 'node:assert/strict';

/** [name, check, source] */
export const DM_CHECKS = ['procfs', 'bpf'].flatMap((source) => [
  [`suspended device: ${source} leads to it from the file system`, (files) => leadsTo(files, 'dm', source), source],
  [`suspended device: ${source} leads to it, frozen too`, (files) => leadsTo(files, 'dmfreeze', source), source],
]);

function leadsTo(files, name, source) {
  const { code } = files.ran(`${name}.${source}`);
  assert.equal(code, '0', files.text(`${name}.${source}.err`).slice(0, 600));
  const { edges, resources } = JSON.parse(files.text(`${name}.${source}.out`));
  const { pids } = files.fixture(name);
  const [writer, reader, dm, loop] = pids;
  const device = resources.find(({ name: each }) => each === `dm-${dm}`);
  const told = JSON.stringify({ pids, edges, resources }, undefined, 1);
  assert.equal(device?.condition, 'is suspended', told);
  assert.equal(device.hangs, true, told);
  const leads = (from, to) =>
    edges.some((edge) => (edge.from.tid ?? edge.from.resource) === from && edge.to.resource === to);
  const mount = device.key.replace('device', 'mount');
  for (const tid of [writer, reader]) assert.ok(leads(tid, mount), told);
  assert.ok(leads(mount, device.key), told);
  assert.ok(!leads(device.key, `device 7:${loop}`), told);
}
