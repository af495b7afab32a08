import { failedRequests, type Sandbox, type TallyView } from '@slipway/sandbox';
import type { Entry, Evidence, TrackView } from './recording.js';
import { canaryWeight, production, productionService, type World } from './world.js';

/** How often traffic and evidence are looked at, milliseconds. */
const interval = 250;
/** Over which the traffic shown is counted, milliseconds. */
const span = 3_000;
/** Characters of a write's body that are kept. */
const longestBody = 2_000;

/** Watches the world and reports writes, weights, traffic and the judge's evidence until the answered function is called. */
export function observe({ sandbox }: World, report: (entry: Entry) => void): () => void {
  let weight = canaryWeight(sandbox);
  let shown = '';
  const since = Date.now();
  const stopWrites = sandbox.on('write', ({ at, verb, resource, namespace, name, dryRun, status, body }) => {
    const sent = JSON.stringify(body ?? null).slice(0, longestBody);
    report({ type: 'write', at, verb, resource, namespace, name, dryRun, status, body: sent });
    const now = canaryWeight(sandbox);
    if (now !== weight) report({ type: 'weight', at, weight: now });
    weight = now;
  });
  const stopGitHub = sandbox.github.onWrite(({ at, method, path, status }) => report({ type: 'github-write', at, method, path, status }));
  const timer = setInterval(() => {
    report({ type: 'traffic', at: Date.now(), weight, stable: trackOf(sandbox, 'stable'), canary: trackOf(sandbox, 'canary') });
    const state = evidenceOf(sandbox, since);
    const text = JSON.stringify(state);
    if (state && text !== shown) report({ type: 'evidence', at: Date.now(), ...state });
    shown = text;
  }, interval);
  return () => {
    stopWrites();
    stopGitHub();
    clearInterval(timer);
  };
}

function trackOf(sandbox: Sandbox, track: 'stable' | 'canary'): TrackView | null {
  const stats = sandbox.stats(productionService, { from: Date.now() - span });
  const tally: TallyView | undefined = stats.byTrack[track];
  if (!tally || tally.sent === 0) return null;
  const version = sandbox
    .list('Pod', production)
    .find((pod) => pod.metadata.labels?.track === track)
    ?.spec?.containers?.[0]?.image?.split(':')[1];
  const seconds = stats.to - stats.from + 1;
  return {
    version: version ?? '',
    perSecond: tally.sent / seconds,
    errorRate: failedRequests(tally) / tally.sent,
    p99: tally.latencyMs?.p99,
  };
}

/** What the judge has written down in the state of a rollout that began after `since`; the last one's stays there until then. */
function evidenceOf(sandbox: Sandbox, since: number): { evidence: Evidence[]; verdict: string } | undefined {
  const text = sandbox.find('ConfigMap', production, 'slipway-shop')?.data?.['state.json'];
  if (typeof text !== 'string') return undefined;
  const { startedAt, evidence: kept } = JSON.parse(text);
  const judgement = kept?.judgement;
  if (!judgement?.evidence || Date.parse(startedAt) < since) return undefined;
  const evidence = Object.entries<{ evidence: number; limit: number }>(judgement.evidence).map(([metric, value]) => ({ metric, ...value }));
  return { evidence, verdict: String(judgement.verdict) };
}
