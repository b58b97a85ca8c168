import { expect, it } from 'vitest';
import { parseMountinfo } from '../procfs/mountinfo.ts';
import { layersOf } from './overlay-layers.ts';

const layersIn = (options: string) => {
  const [mount] = parseMountinfo(`60 27 0:50 / /merged rw - overlay overlay ${options}`);
  return mount && layersOf(mount);
};

it('the layers of an overlay are its lower directories, its upper one and its working one', () => {
  expect(layersIn('rw,lowerdir=/a:/b\\040c::/data,upperdir=/up,workdir=/work,redirect_dir=on')).toEqual([
    '/a',
    '/b c',
    '/data',
    '/up',
    '/work',
  ]);
});

it('a layer whose name has a colon is one, and one without a root is left out', () => {
  expect(layersIn('ro,lowerdir=/a\\134:b:relative')).toEqual(['/a:b']);
});
