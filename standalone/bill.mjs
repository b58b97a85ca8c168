// The bill of materials of an executable, CycloneDX 1.6: https://cyclonedx.org/docs/1.6/json/
import { packageName } from './licences.mjs';
import { sha256 } from './sums.mjs';

/**
 * @param arch as Node.js names it
 * @param contents the bundled packages: where they are in node_modules, and their entries in package-lock.json
 * @param bun name, version and sha512 of Bun's package
 * @param parts of Bun, see bun-parts.mjs
 */
export function billOf({ version, arch, executable, contents, bun, parts }) {
  const runtime = component('application', { ...bun, licence: 'MIT', hash: bun.sha512, purl: npmUrl(bun) });
  const packages = contents.map(({ name, license, integrity, ...rest }) => {
    const known = { name: packageName(name), ...rest };
    const hash = Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex');
    return component('library', { ...known, licence: license, hash, purl: npmUrl(known) });
  });
  const inside = parts.map((part) => component('library', part));
  const kstack = {
    ...component('application', {
      name: 'kstack',
      version,
      licence: 'MIT',
      purl: `pkg:generic/kstack@${version}?arch=${arch}`,
    }),
    hashes: [{ alg: 'SHA-256', content: sha256(executable) }],
  };
  const refs = (components) => components.map((each) => each['bom-ref']);
  const body = {
    metadata: {
      component: kstack,
      tools: { components: [component('application', { name: 'kstack build', version })] },
    },
    components: [runtime, ...packages, ...inside],
    dependencies: [
      { ref: kstack['bom-ref'], dependsOn: refs([runtime, ...packages]) },
      { ref: runtime['bom-ref'], dependsOn: refs(inside) },
    ],
  };
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: serialNumber(JSON.stringify(body)),
    version: 1,
    ...body,
  };
}

function component(type, { name, version, licence, hash, purl, url }) {
  return {
    type,
    'bom-ref': purl ?? `${name}@${version ?? 'unknown'}`,
    name,
    ...(version !== undefined && { version }),
    ...(licence !== undefined && { licenses: [{ expression: licence }] }),
    ...(hash !== undefined && { hashes: [{ alg: 'SHA-512', content: hash }] }),
    ...(purl !== undefined && { purl }),
    ...(url !== undefined && { externalReferences: [{ type: 'website', url }] }),
  };
}

/** https://github.com/package-url/purl-spec: the @ of a scope is escaped. */
function npmUrl({ name, version }) {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

/** The same for the same contents: a UUID of version 8 (RFC 9562). */
function serialNumber(text) {
  const hex = sha256(text);
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return `urn:uuid:${parts.join('-')}`;
}
