/**
 * Requests to the API server per command of a rollout and per router, on a Deployment of 10 pods: `npm run bench -- api-requests`, with every
 * request after `-- --list`. Counted by the server, so that retries and reads of the client library count too. Limits: a promotion of at most
 * 25, and 30 where stable is scaled, too.
 */
import { image, type World, world } from '../acceptance/cluster/release.js';
import { printTable } from './table/print-table.js';

/** Of a promotion; with `replicas` stable is scaled back to its number as well. */
const limits = { istio: 25, replicas: 30 } as const;
/** Windows that are watched, of 1 s each. */
const windows = 5;
const routers = ['istio', 'replicas'] as const;

type Router = (typeof routers)[number];
type Command = [entry: string, inputs: Record<string, string>, job: string];

/** A release to its end and back, then another one that is taken back half-way. */
const commands: readonly Command[] = [
  ['canary-deploy', { command: 'start', image: image('v1.4.0') }, 'canary'],
  ['canary-analyze', { duration: `${windows}s` }, 'watch'],
  ['canary-deploy', { command: 'step' }, 'half'],
  ['canary-deploy', { command: 'status' }, 'look'],
  ['canary-deploy', { command: 'promote' }, 'all'],
  ['auto-rollback', { command: 'now' }, 'back'],
  ['canary-deploy', { command: 'start', image: image('v1.5.0') }, 'canary again'],
  ['canary-deploy', { command: 'abort' }, 'stop'],
];

interface Counted {
  router: Router;
  command: string;
  count: number;
  perVerb: Readonly<Record<string, number>>;
}

const listed = process.argv.includes('--list');
const rows: Counted[] = [];
for (const router of routers) {
  const shop = await world({ shop: { replicas: 10, router }, config: { duration: '3s', router } });
  try {
    for (const command of commands) rows.push(await count(shop, router, command));
  } finally {
    await shop.end();
  }
}
const reading = new Set(['get', 'list', 'watch']);
printTable(
  ['API requests, 10 replicas', 'router', 'all', 'writes', 'by verb'],
  rows.map(({ router, command, count, perVerb }) => [command, router, String(count), String(writesIn(perVerb)), verbs(perVerb)]),
);
const promotions = rows.filter(({ command }) => command === 'canary-deploy promote');
for (const { router, count } of promotions)
  console.log(`promotion, ${router}: ${count}, limit ${limits[router]}: ${count <= limits[router] ? 'kept' : 'MISSED'}`);
process.exitCode = promotions.every(({ router, count }) => count <= limits[router]) ? 0 : 1;

async function count({ sandbox, run }: World, router: Router, [entry, inputs, job]: Command): Promise<Counted> {
  sandbox.requestLog.reset();
  const { code, stdout } = await run(entry, inputs, { job });
  const name = [entry, inputs.command ?? `(${windows} windows)`].join(' ');
  if (code !== 0) throw new Error(`${router}: ${name} ended with ${code}\n${stdout}`);
  if (listed) {
    console.log(`${router}: ${name}`);
    for (const { method, path, status } of sandbox.requestLog.all()) console.log(`    ${method} ${path} ${status}`);
  }
  return { router, command: name, count: sandbox.requestLog.count, perVerb: sandbox.requestLog.perVerb() };
}

function writesIn(perVerb: Readonly<Record<string, number>>): number {
  return Object.entries(perVerb).reduce((sum, [verb, n]) => (reading.has(verb) ? sum : sum + n), 0);
}

function verbs(perVerb: Readonly<Record<string, number>>): string {
  return Object.entries(perVerb)
    .map(([verb, n]) => `${verb} ${n}`)
    .join(', ');
}
