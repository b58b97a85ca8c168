import type { Metric } from '../analysis/metrics.ts';
import type { News } from '../analysis/times/news.ts';
import { escapeInvalid } from '../model/raw-text.ts';
import type { Sample } from '../model/sample.ts';
import { Message } from './protobuf.ts';

/**
 * The fields that kstack writes and reads, by message and name, with their numbers in the protos of OpenTelemetry v1.9
 * (github.com/open-telemetry/opentelemetry-proto). test/otlp.proto has the same with their types.
 */
export const FIELDS = {
  ExportMetricsServiceRequest: { resource_metrics: 1 },
  ResourceMetrics: { resource: 1, scope_metrics: 2 },
  ScopeMetrics: { scope: 1, metrics: 2 },
  Metric: { name: 1, description: 2, gauge: 5, sum: 7 },
  Gauge: { data_points: 1 },
  Sum: { data_points: 1, aggregation_temporality: 2, is_monotonic: 3 },
  ExportLogsServiceRequest: { resource_logs: 1 },
  ResourceLogs: { resource: 1, scope_logs: 2 },
  ScopeLogs: { scope: 1, log_records: 2 },
  LogRecord: {
    time_unix_nano: 1,
    severity_number: 2,
    severity_text: 3,
    body: 5,
    attributes: 6,
    observed_time_unix_nano: 11,
    event_name: 12,
  },
  NumberDataPoint: { start_time_unix_nano: 2, time_unix_nano: 3, as_double: 4, attributes: 7 },
  Resource: { attributes: 1 },
  InstrumentationScope: { name: 1, version: 2 },
  KeyValue: { key: 1, value: 2 },
  AnyValue: { string_value: 1, int_value: 3, double_value: 4 },
} as const;

/** metrics.proto, AggregationTemporality */
const CUMULATIVE = 2;

/** What is measured: a host, by this kstack. */
export interface OtlpResource {
  /** Of kstack. */
  readonly version: string;
  readonly host?: string;
  readonly kernel?: string;
  readonly bootId?: string;
  readonly architecture?: string;
}

/** The host of a sample, and this kstack. @param version of kstack */
export function otlpResource({ host, kernel, bootId, architecture }: Sample, version: string): OtlpResource {
  return {
    version,
    ...(host !== undefined && { host }),
    ...(kernel !== undefined && { kernel }),
    ...(bootId !== undefined && 'value' in bootId && { bootId: bootId.value }),
    ...(architecture !== undefined && { architecture }),
  };
}

/** When metrics were measured, and since when what is counted is counted, in Unix milliseconds. */
export interface MeasuredAt {
  readonly timeMs: number;
  readonly sinceMs: number;
}

/** An ExportMetricsServiceRequest, as POST /v1/metrics takes it. */
export function metricsRequest(metrics: readonly Metric[], resource: OtlpResource, at: MeasuredAt): Uint8Array {
  const message = new Message();
  const { ExportMetricsServiceRequest: request, ResourceMetrics: ofResource, ScopeMetrics: ofScope } = FIELDS;
  message.message(request.resource_metrics, () => {
    addResource(message, ofResource.resource, resource);
    message.message(ofResource.scope_metrics, () => {
      addScope(message, ofScope.scope, resource);
      for (const metric of metrics) message.message(ofScope.metrics, () => addMetric(message, metric, at));
    });
  });
  return message.take();
}

function addMetric(message: Message, { name, help, type, values }: Metric, { timeMs, sinceMs }: MeasuredAt): void {
  const { Metric: field, Gauge: gauge, Sum: sum, NumberDataPoint: point } = FIELDS;
  message.text(field.name, name).text(field.description, help);
  message.message(type === 'counter' ? field.sum : field.gauge, () => {
    for (const { labels, value } of values)
      message.message(type === 'counter' ? sum.data_points : gauge.data_points, () => {
        if (type === 'counter') message.fixed64(point.start_time_unix_nano, nanoseconds(sinceMs));
        message.fixed64(point.time_unix_nano, nanoseconds(timeMs)).double(point.as_double, value);
        addAttributes(message, point.attributes, labels);
      });
    if (type === 'counter') message.varint(sum.aggregation_temporality, CUMULATIVE).varint(sum.is_monotonic, 1);
  });
}

/** logs.proto, SeverityNumber: WARN */
const WARN = 13;
/** Names of OpenTelemetry's semantic conventions, where there are any. */
const ATTRIBUTES: Readonly<Record<string, string>> = { pid: 'process.pid', tid: 'thread.id', comm: 'thread.name' };

/** An ExportLogsServiceRequest, as POST /v1/logs takes it. @param observedMs when it is sent, Unix milliseconds */
export function logsRequest(news: readonly News[], resource: OtlpResource, observedMs: number): Uint8Array {
  const message = new Message();
  const { ExportLogsServiceRequest: request, ResourceLogs: ofResource, ScopeLogs: ofScope } = FIELDS;
  message.message(request.resource_logs, () => {
    addResource(message, ofResource.resource, resource);
    message.message(ofResource.scope_logs, () => {
      addScope(message, ofScope.scope, resource);
      for (const each of news) message.message(ofScope.log_records, () => addRecord(message, each, observedMs));
    });
  });
  return message.take();
}

function addRecord(message: Message, { timeMs, kind, text, about }: News, observedMs: number): void {
  const field = FIELDS.LogRecord;
  if (timeMs !== undefined) message.fixed64(field.time_unix_nano, nanoseconds(timeMs));
  message.varint(field.severity_number, WARN).text(field.severity_text, 'WARN');
  message.message(field.body, () => addValue(message, text));
  const named = Object.entries(about).map(([name, value]) => [ATTRIBUTES[name] ?? `kstack.${name}`, value]);
  addAttributes(message, field.attributes, Object.fromEntries(named));
  message.fixed64(field.observed_time_unix_nano, nanoseconds(observedMs)).text(field.event_name, `kstack.${kind}`);
}

/** Names of Node.js and of OpenTelemetry's semantic conventions (host.arch). */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export function addResource(message: Message, field: number, resource: OtlpResource): void {
  const { version, host, kernel, bootId, architecture } = resource;
  message.message(field, () =>
    addAttributes(message, FIELDS.Resource.attributes, {
      'service.name': 'kstack',
      'service.version': version,
      'os.type': 'linux',
      ...(host !== undefined && { 'host.name': host }),
      ...(architecture !== undefined && { 'host.arch': ARCHITECTURES[architecture] ?? architecture }),
      ...(kernel !== undefined && { 'os.description': `Linux ${kernel}` }),
      ...(bootId !== undefined && { 'kstack.boot_id': bootId }),
    }),
  );
}

export function addScope(message: Message, field: number, { version }: OtlpResource): void {
  const { name, version: of } = FIELDS.InstrumentationScope;
  message.message(field, () => message.text(name, 'kstack').text(of, version));
}

function addAttributes(message: Message, field: number, values: Readonly<Record<string, string | number>>): void {
  for (const [key, value] of Object.entries(values))
    message.message(field, () => {
      message.text(FIELDS.KeyValue.key, key);
      message.message(FIELDS.KeyValue.value, () => addValue(message, value));
    });
}

export function addValue(message: Message, value: string | number): void {
  const field = FIELDS.AnyValue;
  if (typeof value === 'string') message.text(field.string_value, escapeInvalid(value));
  else if (Number.isSafeInteger(value) && value >= 0) message.varint(field.int_value, value);
  else message.double(field.double_value, value);
}

export function nanoseconds(milliseconds: number): bigint {
  return BigInt(Math.round(milliseconds)) * 1_000_000n;
}
