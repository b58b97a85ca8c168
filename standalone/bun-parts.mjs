// What Bun's own program is made of, for the licences and the bill of materials of the executable. The list is that of
// Bun's LICENSE.md (https://github.com/oven-sh/bun/blob/main/LICENSE.md), for Linux, and what else Bun names in
// process.versions.

/**
 * name, the key in process.versions under which Bun names the version (a commit, for most), SPDX licence, address, and
 * the file of the text in licences/.
 */
const PARTS = [
  ['JavaScriptCore', 'webkit', 'LGPL-2.0-or-later', 'https://github.com/oven-sh/WebKit', 'lgpl-2.0'],
  ['boringssl', 'boringssl', 'Apache-2.0', 'https://boringssl.googlesource.com/boringssl', 'boringssl'],
  ['brotli', undefined, 'MIT', 'https://github.com/google/brotli', 'brotli'],
  ['libarchive', 'libarchive', 'BSD-2-Clause', 'https://github.com/libarchive/libarchive', 'libarchive'],
  ['lol-html', 'lolhtml', 'BSD-3-Clause', 'https://github.com/cloudflare/lol-html', 'lol-html'],
  ['ls-hpack', 'lshpack', 'MIT', 'https://github.com/litespeedtech/ls-hpack', 'ls-hpack'],
  ['ls-qpack', undefined, 'MIT', 'https://github.com/litespeedtech/ls-qpack', 'ls-qpack'],
  ['lsquic', undefined, 'MIT AND BSD-3-Clause', 'https://github.com/litespeedtech/lsquic', 'lsquic'],
  ['mimalloc', 'mimalloc', 'MIT', 'https://github.com/microsoft/mimalloc', 'mimalloc'],
  ['picohttpparser', 'picohttpparser', 'MIT', 'https://github.com/h2o/picohttpparser', 'picohttpparser'],
  ['zstd', 'zstd', 'BSD-3-Clause', 'https://github.com/facebook/zstd', 'zstd'],
  ['simdutf', undefined, 'MIT', 'https://github.com/simdutf/simdutf', 'simdutf'],
  ['tinycc', 'tinycc', 'LGPL-2.1-or-later', 'https://github.com/oven-sh/tinycc', 'lgpl-2.1'],
  ['uSockets', 'usockets', 'Apache-2.0', 'https://github.com/uNetworking/uSockets', 'apache-2.0'],
  ['uWebSockets', 'uwebsockets', 'Apache-2.0', 'https://github.com/uNetworking/uWebSockets', 'apache-2.0'],
  ['zlib-ng', 'zlib', 'Zlib', 'https://github.com/zlib-ng/zlib-ng', 'zlib-ng'],
  ['c-ares', 'ares', 'MIT', 'https://github.com/c-ares/c-ares', 'c-ares'],
  ['icu', 'icu', 'Unicode-3.0', 'https://github.com/unicode-org/icu', 'icu'],
  ['base64', undefined, 'BSD-2-Clause', 'https://github.com/aklomp/base64', 'base64'],
  ['libdeflate', 'libdeflate', 'MIT', 'https://github.com/ebiggers/libdeflate', 'libdeflate'],
  [
    'libjpeg-turbo',
    undefined,
    'IJG AND BSD-3-Clause AND Zlib',
    'https://github.com/libjpeg-turbo/libjpeg-turbo',
    'libjpeg-turbo',
  ],
  ['libspng', undefined, 'BSD-2-Clause', 'https://github.com/randy408/libspng', 'libspng'],
  ['libwebp', undefined, 'BSD-3-Clause', 'https://github.com/webmproject/libwebp', 'libwebp'],
  ['highway', undefined, 'BSD-3-Clause', 'https://github.com/google/highway', 'highway'],
  ['uucode', undefined, 'MIT', 'https://github.com/jacobsandlund/uucode', 'uucode'],
  ['llhttp', 'llhttp', 'MIT', 'https://github.com/nodejs/llhttp', 'llhttp'],
  ['esbuild', undefined, 'MIT', 'https://github.com/evanw/esbuild', 'esbuild'],
  ['zig', 'zig', 'MIT', 'https://github.com/oven-sh/zig', 'mit'],
  ['sqlite', 'sqlite', 'blessing', 'https://sqlite.org', 'sqlite'],
  ['libc++abi', undefined, 'Apache-2.0 WITH LLVM-exception', 'https://github.com/llvm/llvm-project', 'llvm'],
];

/** What is in process.versions and is no part: interfaces that Bun imitates, and Bun itself. */
const NO_PARTS = ['node', 'bun', 'openssl', 'modules', 'napi', 'unicode', 'typescript', 'uv', 'v8'];

/** Of npm, all MIT: Bun has them inside, for programs that are built for browsers. */
export const POLYFILLS = [
  'acorn acorn-walk assert browserify-zlib buffer constants-browserify crypto-browserify domain-browser events',
  'https-browserify os-browserify path-browserify process punycode querystring-es3 stream-browserify stream-http',
  'string_decoder timers-browserify tty-browserify url util vm-browserify',
].flatMap((line) => line.split(' '));

/**
 * The parts: name, version where Bun names it, licence, url, and the name of the text in licences/.
 * @param versions process.versions of Bun
 * @throws Error if Bun names a part that is not in the list: a newer Bun has other ones
 */
export function partsOfBun(versions) {
  const parts = PARTS.map(([name, key, licence, url, text]) => ({ name, version: versions[key], licence, url, text }));
  const known = new Set([...PARTS.map(([, key]) => key), ...NO_PARTS]);
  const wrong = [
    ...Object.keys(versions).filter((key) => !known.has(key)),
    ...PARTS.flatMap(([, key]) => (key === undefined || key in versions ? [] : [key])),
  ];
  if (wrong.length > 0) throw new Error(`Bun ${versions.bun} has other parts than standalone/bun-parts.mjs: ${wrong}`);
  return parts;
}
