import { type ContainerRun, latencyBounds } from './container-run.js';

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Every series of one run, as its `/metrics` shows them. */
export function samplesOf(run: ContainerRun): Sample[] {
  const samples: Sample[] = [];
  for (const { code, method, path, count } of run.requests.values()) {
    samples.push({ name: 'http_requests_total', labels: { code: String(code), method, path }, value: count });
  }
  for (const { method, path, buckets, sum, count } of run.durations.values()) {
    const base = { method, path };
    let cumulative = 0;
    for (const [i, bucket] of buckets.entries()) {
      cumulative += bucket;
      const le = i < latencyBounds.length ? String(latencyBounds[i]) : '+Inf';
      samples.push({ name: 'http_request_duration_seconds_bucket', labels: { ...base, le }, value: cumulative });
    }
    samples.push({ name: 'http_request_duration_seconds_sum', labels: base, value: sum });
    samples.push({ name: 'http_request_duration_seconds_count', labels: base, value: count });
  }
  samples.push({ name: 'process_start_time_seconds', labels: {}, value: run.startedAt / 1000 });
  return samples;
}

const families: readonly [name: string, type: string, help: string][] = [
  ['http_requests_total', 'counter', 'Requests answered.'],
  ['http_request_duration_seconds', 'histogram', 'Time to answer.'],
  ['process_start_time_seconds', 'gauge', 'Start time of the process since unix epoch in seconds.'],
];

/** The Prometheus text format, version 0.0.4. */
export function exposition(run: ContainerRun): string {
  const samples = samplesOf(run);
  const lines = families.flatMap(([family, type, help]) => {
    const own = samples.filter(({ name }) => name === family || (type === 'histogram' && name.startsWith(`${family}_`)));
    if (own.length === 0) return [];
    return [`# HELP ${family} ${help}`, `# TYPE ${family} ${type}`, ...own.map(line)];
  });
  return `${lines.join('\n')}\n`;
}

function line({ name, labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
