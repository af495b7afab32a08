import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type EngineKind, type KubeClient, resources } from '@slipway/cluster';
import { parseAllDocuments } from 'yaml';
import { argoShop, flaggerShop, image, namespace } from '../../cluster/test/engine-controllers.js';
import type { MemoryKube } from '../../cluster/test/memory-kube.js';
import { runEngineCommand } from '../src/engines/run-engine-command.js';
import { accessWords } from '../src/plan/access.js';
import { engineAccess } from '../src/plan/engine-access.js';
import { readPlan } from '../src/plan/plan.js';
import { deps, instantClock, target } from './shop.js';

const kinds: EngineKind[] = ['argo-rollouts', 'flagger'];

/** A shop whose API server answers access reviews; `denied` are not allowed. */
function shopOf(kind: EngineKind, denied: readonly string[] = []) {
  const kube = kind === 'flagger' ? flaggerShop() : argoShop();
  const { create } = kube;
  const asking: KubeClient['create'] = async (resource, in_, object, options) => {
    if (resource.plural !== resources.selfsubjectaccessreviews.plural) return create(resource, in_, object, options);
    const { verb, resource: plural } = (object as { spec: { resourceAttributes: { verb: string; resource: string } } }).spec
      .resourceAttributes;
    return { apiVersion: '', kind: '', metadata: { name: '' }, status: { allowed: !denied.includes(`${verb} ${plural}`) } };
  };
  return Object.assign(kube, { create: asking, withSignal: () => kube });
}

/** A run on a clock on which Flagger looks once in ten seconds. */
function run(kube: MemoryKube & { tick?: () => void }, kind: EngineKind) {
  const made = deps(kube, { target: { ...target('replicas'), engine: kind } });
  const clock = instantClock();
  const sleep = async (ms: number, signal?: AbortSignal) => {
    for (let left = ms; left > 0; left -= 10_000) kube.tick?.();
    await clock.sleep(ms, signal);
  };
  return { ...made, context: { ...made.context, clock: { ...clock, now: () => clock.at, sleep } } };
}

const objects = (kube: MemoryKube, kind: EngineKind) =>
  JSON.stringify([
    kube.at(kind === 'flagger' ? 'canaries' : 'rollouts', namespace, 'shop'),
    kind === 'flagger' && kube.at('deployments', namespace, 'shop'),
  ]);

describe.each(kinds)('a plan for %s', (kind) => {
  it('has the controller’s steps, tries the patches of its command line, and changes nothing', async () => {
    const kube = shopOf(kind);
    const before = objects(kube, kind);
    const { verdict, plan } = await readPlan(run(kube, kind), { image: image('v2'), provider: 'pods' });
    expect(verdict).toMatchObject({ outcome: 'pass', reason: 'PLANNED', summary: expect.stringContaining('25 % → 50 %') });
    expect(plan.checks.map(({ outcome }) => outcome)).toEqual(['ok', 'ok']);
    expect(objects(kube, kind)).toBe(before);
  });

  it('says while a rollout is on whether it could be aborted', async () => {
    const kube = shopOf(kind);
    await runEngineCommand(run(kube, kind), { kind: 'start', image: image('v2'), version: null });
    const before = objects(kube, kind);
    const { plan } = await readPlan(run(kube, kind), { image: undefined, provider: 'pods' });
    expect(plan.rollback).toEqual([expect.objectContaining({ outcome: 'ok' })]);
    expect(plan.steps[0]).toMatchObject({ state: 'in force', routing: { weight: 25 } });
    expect(objects(kube, kind)).toBe(before);
  });

  it('names the permission that is missing', async () => {
    const plural = kind === 'flagger' ? 'canaries' : 'rollouts';
    const { verdict, plan } = await readPlan(run(shopOf(kind, [`get ${plural}`]), kind), { image: image('v2'), provider: 'pods' });
    expect(verdict).toMatchObject({ reason: 'PLAN_FORBIDDEN', summary: expect.stringContaining(`get ${plural}.`) });
    expect(plan.steps).toEqual([]);
  });

  it('needs what docs/rbac grants, and nothing else', () => {
    const documents = parseAllDocuments(readFileSync(`docs/rbac/${kind}.yaml`, 'utf8')).map((document) => document.toJS());
    const { rules } = documents.find((each) => each.kind === 'Role');
    const granted = (rules as { apiGroups: [string]; resources: [string]; verbs: string[]; resourceNames?: string[] }[]).flatMap(
      ({ apiGroups: [group], resources: [path], verbs, resourceNames = [''] }) => {
        const [plural, subresource] = path.split('/');
        const what = `${plural}${group ? `.${group}` : ''}${subresource ? `/${subresource}` : ''}`;
        return verbs.flatMap((verb) => resourceNames.map((name) => `${verb} ${what} ${name}`.trim()));
      },
    );
    expect(engineAccess(target('replicas'), kind, 'pods').map(accessWords).sort()).toEqual(granted.sort());
  });
});
