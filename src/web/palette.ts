/** Colours that the colour-blind can tell apart (Okabe and Ito), for light and dark backgrounds. */
export const PALETTE = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#f0e442'] as const;
/** Of thin lines, which need more contrast in both schemes. */
export const LINES = ['#3f8fc8', '#d07f00', '#0f9d76'] as const;
export const OTHERS = '#8a8f98';

/** Of each kind of finding. */
export const KIND_COLOURS = {
  blocked: '#d55e00',
  unexplained: '#cc79a7',
  running: '#009e73',
  idle: '#b8bec7',
} as const;

/** The same colour for the same name. */
export function colourOf(name: string): string {
  let hash = 0;
  for (let at = 0; at < name.length; at++) hash = (Math.imul(hash, 31) + name.charCodeAt(at)) | 0;
  return `hsl(${20 + (Math.abs(hash) % 40)} ${55 + (Math.abs(hash >> 8) % 25)}% ${62 + (Math.abs(hash >> 4) % 14)}%)`;
}

/** Blue is less and orange is more: the colour-blind can tell these apart, too. */
const [LESS, SAME, MORE] = [
  [92, 160, 214],
  [217, 220, 224],
  [240, 138, 40],
] as const;

/** @param change from -1, which is gone, to 1, which is new */
export function colourOfChange(change: number): string {
  const end = change < 0 ? LESS : MORE;
  const share = Math.min(1, Math.abs(change)) ** 0.7;
  const [red, green, blue] = SAME.map((from, at) => Math.round(from + share * ((end[at] ?? from) - from)));
  return `rgb(${red} ${green} ${blue})`;
}

/** A colour of the page's style, by the name of its property. */
export function styleColour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
