/**
 * Requests to the API server per command of a rollout, per verb, on a Deployment of 10 pods: `node scripts/run-ts.mjs test/bench/api-requests.ts`.
 * Limit: a promotion of at most 25. Counted by the server, so that retries and reads of the client library count too.
 */
import { image, world } from '../acceptance/cluster/release.js';

const limit = 25;

const shop = await world({ shop: { replicas: 10 }, config: { duration: '3s' } });
const rows: string[] = [];
let promotion = 0;
try {
  for (const [entry, command, job] of [
    ['canary-deploy', 'start', 'canary'],
    ['canary-deploy', 'step', 'half'],
    ['canary-deploy', 'promote', 'all'],
    ['auto-rollback', 'now', 'back'],
  ] as const) {
    shop.sandbox.requestLog.reset();
    const { code, stdout } = await shop.run(entry, command === 'start' ? { command, image: image('v1.4.0') } : { command }, { job });
    if (code !== 0) throw new Error(`${command} ended with ${code}\n${stdout}`);
    const { count } = shop.sandbox.requestLog;
    const verbs = Object.entries(shop.sandbox.requestLog.perVerb()).map(([verb, n]) => `${verb} ${n}`);
    rows.push(`${`${entry} ${command}`.padEnd(24)} ${String(count).padStart(4)}   ${verbs.join(', ')}`);
    if (command === 'promote') promotion = count;
    if (process.argv.includes('--list'))
      for (const { method, path, status } of shop.sandbox.requestLog.all()) rows.push(`    ${method} ${path} ${status}`);
  }
} finally {
  await shop.end();
}
console.log(['API requests, 10 replicas', ...rows, `promotion: ${promotion}, limit ${limit}`].join('\n'));
process.exitCode = promotion <= limit ? 0 : 1;
