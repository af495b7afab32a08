import type { Case, ContractRequest, Need, Recorded, Send } from './case.js';

/** Stands for the answer of a case that had to be asked again for too long. */
export const notInTime = 'not within 30 s';

/** Sends every case in order and keeps what is to be the same everywhere. Cases that need what the server lacks are left out. */
export async function record(send: Send, cases: readonly Case[], lacks: ReadonlySet<Need> = new Set()): Promise<Record<string, Recorded>> {
  const recorded: Record<string, Recorded> = {};
  const answers = new Map<string, unknown>();
  for (const { name, show = [], until = () => true, needs, ...request } of cases) {
    if (needs && lacks.has(needs)) continue;
    const { status, text, late } = await sendUntil(send, filled(request, answers), until);
    if (status < 400) answers.set(name, read(text));
    if (late) recorded[name] = { status, answer: notInTime };
    else recorded[name] = { status, answer: status < 400 ? pick(read(stable(text)), show) : refusal(text) };
  }
  return recorded;
}

async function sendUntil(
  send: Send,
  request: ContractRequest,
  until: (answer: unknown) => boolean,
): Promise<{ status: number; text: string; late: boolean }> {
  for (const end = Date.now() + 30_000; ; ) {
    const answer = await send(request);
    const isDone = answer.status >= 400 || until(read(answer.text));
    if (isDone || Date.now() > end) return { ...answer, late: !isDone };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A watch answers one JSON text a line, everything else one in all. */
function read(text: string): unknown {
  const lines = text.trim().split('\n');
  const isWatch = text === '' || /^\{"type":"[A-Z]+","object":/.test(text);
  return isWatch ? { events: lines.filter(Boolean).map((line) => JSON.parse(line)) } : JSON.parse(text);
}

function filled(request: ContractRequest, answers: ReadonlyMap<string, unknown>): ContractRequest {
  const fill = (text: string, write: (value: string) => string) =>
    text.replaceAll(/\{([\w.]+) of ([^}]+)\}/g, (_, path: string, name: string) => write(String(at(answers.get(name), path.split('.')))));
  const body = request.body === undefined ? {} : { body: JSON.parse(fill(JSON.stringify(request.body), (value) => value)) };
  return { ...request, path: fill(request.path, encodeURIComponent), ...body };
}

function pick(answer: unknown, paths: readonly string[]): Record<string, unknown> {
  const shown = paths.map((path) => [path, at(answer, path.split('.')) ?? null]);
  return withoutTimes(Object.fromEntries(shown)) as Record<string, unknown>;
}

/** The value at a path; `*` stands for every item of a list, whose values are sorted, `+` for every item in order. */
function at(value: unknown, [key, ...rest]: string[]): unknown {
  if (key === undefined) return value;
  if (key !== '*' && key !== '+') return at((value as Record<string, unknown> | undefined)?.[key], rest);
  const values = ((value ?? []) as unknown[]).map((item) => at(item, rest) ?? null);
  return key === '+' ? values : sorted(values);
}

/** Without what differs from run to run: uids, template hashes, pod suffixes. */
function stable(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '(uid)')
    .replaceAll(/web-[a-z0-9]{7,10}(?=[\\" -])/g, 'web-(hash)');
}

/** Without the times of managed fields, and so without the order that they give. */
function withoutTimes(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, one) => {
    if (key === 'time') return undefined;
    return key === 'metadata.managedFields' && Array.isArray(one) ? one.toSorted(byManager) : one;
  });
}

function byManager(a: object, b: object): number {
  const name = (entry: { manager?: string; operation?: string; subresource?: string }) =>
    [entry.manager, entry.operation, entry.subresource].join(' ');
  return name(a) < name(b) ? -1 : 1;
}

function sorted(values: readonly unknown[]): unknown[] {
  return [...values].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

interface Status {
  message: string;
  details?: { causes?: { field: string }[] };
}

function refusal(text: string): unknown {
  if (!text.startsWith('{')) return text;
  const named = stable(text).replaceAll(/(patch: |")Invalid value: \\"\{.*?\}\\": json:/g, '$1Invalid value: (object): json:');
  return inOrder(JSON.parse(named) as Status);
}

/** Several mistakes come in no order of their own. */
function inOrder(status: Status): Status {
  const causes = status.details?.causes ?? [];
  if (causes.length < 2) return status;
  const sorted = causes.map((cause) => JSON.stringify(cause)).sort();
  const message = status.message.replace(/(is invalid: \[|conflicts: )(?:.|\n)*$/, '$1…');
  return { ...status, message, details: { ...status.details, causes: sorted.map((cause) => JSON.parse(cause)) } };
}
