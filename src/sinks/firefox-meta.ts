import { CATEGORIES } from './firefox-tables.ts';

/** The version of the processed format (src/app-logic/constants.ts; docs-developer/CHANGELOG-formats.md). */
const PROCESSED_VERSION = 70;
/** That of the browser's own format, which the type asks for. */
const GECKO_VERSION = 36;

export interface Recorded {
  readonly startMs: number;
  readonly endMs: number;
  readonly intervalMs: number;
  readonly hosts: readonly string[];
  readonly kernels: readonly string[];
  /** The threads that are shown at first. */
  readonly visible: readonly number[];
}

const WAIT_FIELDS = [
  { key: 'rule', label: 'Rule', format: 'string' },
  { key: 'state', label: 'State', format: 'string' },
  { key: 'function', label: 'Function', format: 'string' },
  { key: 'holder', label: 'Held up by', format: 'string' },
  { key: 'reason', label: 'By what', format: 'string' },
  { key: 'seen', label: 'Samples', format: 'integer' },
  { key: 'ran', label: 'Ran in between', format: 'string' },
];

/** As ProfileMeta of the processed format. */
export function metaOf({ startMs, endMs, intervalMs, hosts, kernels, visible }: Recorded) {
  return {
    interval: intervalMs,
    startTime: startMs,
    endTime: endMs,
    profilingStartTime: 0,
    profilingEndTime: endMs - startMs,
    processType: 0,
    categories: CATEGORIES.map(({ name, color }) => ({ name, color, subcategories: ['Other'] })),
    product: 'kstack',
    importedFrom: 'kstack',
    stackwalk: 1,
    version: GECKO_VERSION,
    preprocessedProfileVersion: PROCESSED_VERSION,
    symbolicated: true,
    symbolicationNotSupported: true,
    usesOnlyOneStackType: true,
    sourceCodeIsNotOnSearchfox: true,
    keepProfileThreadOrder: true,
    sampleUnits: { time: 'ms', eventDelay: 'ms', threadCPUDelta: 'ns' },
    markerSchema: [
      {
        name: 'Wait',
        tooltipLabel: '{marker.name}',
        tableLabel: '{marker.name}',
        chartLabel: '{marker.name}',
        display: ['marker-chart', 'marker-table', 'timeline-overview'],
        fields: WAIT_FIELDS,
        description: 'A task waits in the kernel, or no rule knows what it does there.',
      },
      {
        name: 'Event',
        tooltipLabel: '{marker.name}',
        tableLabel: '{marker.data.text}',
        chartLabel: '{marker.name}',
        display: ['marker-chart', 'marker-table', 'timeline-overview'],
        fields: [{ key: 'text', label: 'Text', format: 'string' }],
        description: 'A line of the kernel log, a trigger, or a gap.',
      },
    ],
    extra: [
      {
        label: 'Recorded',
        entries: [
          { label: 'Hosts', format: 'string', value: hosts.join(', ') },
          { label: 'Kernels', format: 'string', value: kernels.join(', ') },
        ],
      },
    ],
    initialVisibleThreads: visible,
    initialSelectedThreads: visible.slice(0, 1),
  };
}

/** As RawCounter of the processed format: a level over time, of which the format wants the changes. */
export function counterOf(
  name: string,
  { pid, mainThreadIndex }: { readonly pid: string; readonly mainThreadIndex: number },
  {
    times,
    levels,
    unit,
  }: { readonly times: readonly number[]; readonly levels: readonly number[]; readonly unit: 'number' | 'percent' },
) {
  // The first change is ignored.
  const [first = 0] = times;
  return {
    name,
    category: 'kstack',
    description: name,
    pid,
    mainThreadIndex,
    samples: {
      time: [Math.max(0, first - 1), ...times],
      count: [0, ...levels.map((level, at) => level - (levels[at - 1] ?? 0))],
      length: times.length + 1,
    },
    display: {
      graphType: 'line-accumulated',
      unit: 'number',
      color: unit === 'number' ? 'red' : 'orange',
      markerSchemaLocation: null,
      sortWeight: unit === 'number' ? 0 : 1,
      label: name,
      tooltipRows: [{ type: 'value', source: 'accumulated', format: { unit: 'number' }, label: name }],
    },
  };
}
