import { isDeepStrictEqual } from 'node:util';
import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject, Resource } from '../kube.js';
import { resources } from '../resources.js';
import { isOwnedBy, selectorOf } from '../workloads/children.js';
import { setImagePatch } from '../workloads/image.js';
import { describe, workloadOf } from '../workloads/workload.js';
import { abortPatch, advancePatches, pausePatch, promoteFullPatches, type RolloutPatch, retryPatch, unpausePatch } from './argo-patches.js';
import { type ArgoObjects, argoView, ROLLOUT_HASH_LABEL, ROLLOUT_REVISION } from './argo-view.js';
import type { RolloutEngine } from './engine.js';
import { abortedRefusal, ambiguous, listUnlessForbidden, readEngineObject, specInvalid, unsupportedTarget } from './engine-refusals.js';

export interface EngineOptions {
  namespace: string;
  /** Name of the Rollout, or of the Canary. */
  name: string;
  /** Container whose image is released; absent: the only one. */
  container?: string | undefined;
}

/** A service whose Rollout is driven by the Argo Rollouts controller. Sends nothing yet. */
export function argoRollouts(client: KubeClient, { namespace, name, container }: EngineOptions): RolloutEngine {
  let last: ArgoObjects | undefined;
  /** ReplicaSets do not change their template: one of a hash that was seen needs no second look. */
  const images = new Map<string, string>();

  async function readObjects(by = client): Promise<ArgoObjects> {
    const rollout = await readEngineObject(by, resources.rollouts, namespace, name);
    const templated = await readTemplated(by, rollout);
    last = { rollout, templated, stableImage: await readStableImage(by, rollout, templated) };
    return last;
  }

  async function readTemplated(by: KubeClient, rollout: KubeObject): Promise<KubeObject> {
    const reference = rollout.spec?.workloadRef;
    if (!reference) return rollout;
    if (reference.kind !== 'Deployment') {
      throw unsupportedTarget(
        rollout,
        `a ${reference.kind} (spec.workloadRef)`,
        'a pod template of its own, or a workloadRef to a Deployment',
      );
    }
    return by.get(resources.deployments, namespace, String(reference.name));
  }

  async function readStableImage(by: KubeClient, rollout: KubeObject, templated: KubeObject): Promise<string | null> {
    const hash = rollout.status?.stableRS;
    if (typeof hash !== 'string' || hash === '') return null;
    if (!images.has(hash)) {
      const { container: released } = workloadOf(templated, container);
      for (const replicaSet of await readReplicaSets(by, rollout, templated)) {
        images.set(replicaSet.metadata.labels?.[ROLLOUT_HASH_LABEL] ?? '', workloadOf(replicaSet, released).image);
      }
    }
    return images.get(hash) ?? null;
  }

  async function readReplicaSets(by: KubeClient, rollout: KubeObject, templated: KubeObject): Promise<KubeObject[]> {
    const all = await by.list(resources.replicasets, namespace, { labelSelector: selectorOf(templated) });
    return all.filter((each) => isOwnedBy(each, rollout)).sort((a, b) => revisionOf(b) - revisionOf(a));
  }

  const objects = async () => last ?? readObjects();
  const view = (seen: ArgoObjects) => argoView(seen, container);

  async function send(patches: readonly RolloutPatch[], by = client): Promise<void> {
    for (const { subresource, body } of patches) {
      const options = subresource === undefined ? {} : { subresource };
      const rollout = await by.patch(resources.rollouts, namespace, name, { type: 'merge', body }, options);
      if (last) last = { ...last, rollout, ...(last.templated.kind === 'Rollout' ? { templated: rollout } : {}) };
    }
  }

  /** Refused from what is stored now: somebody may have aborted since it was read. */
  async function refuseAborted(): Promise<KubeObject> {
    const { rollout } = await readObjects();
    if (rollout.status?.abort === true) throw abortedRefusal(describe(rollout), String(rollout.status.message ?? ''));
    return rollout;
  }

  async function setTemplate({ templated }: ArgoObjects, template: unknown, by = client): Promise<boolean> {
    if (isDeepStrictEqual(templated.spec.template, template)) return false;
    const patch = {
      type: 'json' as const,
      body: [
        { op: 'test' as const, path: '/spec/template', value: templated.spec.template },
        { op: 'replace' as const, path: '/spec/template', value: template },
      ],
    };
    await by.patch(resourceOf(templated), namespace, templated.metadata.name, patch);
    last = undefined;
    return true;
  }

  return {
    kind: 'argo-rollouts',
    objectKind: 'Rollout',
    async check() {
      const seen = await readObjects();
      const others = await listUnlessForbidden(client, resources.rollouts, namespace);
      refuseUndrivable(seen, others === 'no such API' ? [] : others);
      return view(seen);
    },
    read: async () => view(await readObjects()),
    async start(image, { version }) {
      const { rollout, templated } = await readObjects();
      const workload = workloadOf(templated, container);
      if (workload.image !== image) {
        await client.patch(resourceOf(templated), namespace, templated.metadata.name, setImagePatch(workload, image, version));
        last = undefined;
      } else if (rollout.status?.abort === true) await send([retryPatch]);
    },
    hold: () => send([pausePatch]),
    resume: () => send([unpausePatch]),
    advance: async () => send(advancePatches(await refuseAborted())),
    promoteFull: async () => send(promoteFullPatches(await refuseAborted())),
    // A paused Rollout is aborted all the same, and would stay paused when it is tried again.
    abort: (by) => send([abortPatch, ...(last?.rollout.spec?.paused === true ? [unpausePatch] : [])], by),
    abortWords: () => `abort Rollout ${namespace}/${name}`,
    async restoreSpec(by = client) {
      const seen = await readObjects(by);
      const { stableRS } = seen.rollout.status ?? {};
      const all = await readReplicaSets(by, seen.rollout, seen.templated);
      const stable = all.find(({ metadata }) => metadata.labels?.[ROLLOUT_HASH_LABEL] === stableRS);
      if (!stable) throw noRevision(seen.rollout, `its stable ReplicaSet (${stableRS || 'none'}) is gone`);
      return setTemplate(seen, templateOf(stable), by);
    },
    async undo(image) {
      const seen = await readObjects();
      const released = workloadOf(seen.templated, container).container;
      const all = await readReplicaSets(client, seen.rollout, seen.templated);
      const former = all.find((each) => workloadOf(each, released).image === image);
      if (!former) throw noRevision(seen.rollout, `no ReplicaSet of it has ${image} any more`);
      await setTemplate(seen, templateOf(former));
    },
    memory: () => ({}),
    tidy: async () => {
      const { rollout } = await objects();
      if (rollout.spec?.paused === true) await send([unpausePatch]);
    },
  };
}

function refuseUndrivable({ rollout, templated }: ArgoObjects, all: readonly KubeObject[]): void {
  const { strategy } = rollout.spec ?? {};
  if (!strategy?.canary && !strategy?.blueGreen) {
    throw new OperationError(`${describe(rollout)} has no strategy, so there is nothing to drive.`, {
      reason: 'ROLLOUT_WITHOUT_STRATEGY',
      next: ['Give it `spec.strategy.canary` with `steps`, or `spec.strategy.blueGreen`.'],
    });
  }
  const invalid = (rollout.status?.conditions ?? []).find(({ type }: { type?: string }) => type === 'InvalidSpec');
  if (invalid) throw specInvalid(rollout, String(invalid.message ?? 'its spec is invalid').slice(0, 500));
  const others = all.filter((each) => each.metadata.uid !== rollout.metadata.uid && drivesSame(each, rollout, templated));
  if (others.length > 0) throw ambiguous(rollout, others, 'the same pods');
}

function drivesSame(other: KubeObject, rollout: KubeObject, templated: KubeObject): boolean {
  if (templated.kind === 'Deployment') return other.spec?.workloadRef?.name === templated.metadata.name;
  return other.spec?.selector !== undefined && isDeepStrictEqual(other.spec.selector, rollout.spec?.selector);
}

function resourceOf({ kind }: KubeObject): Resource {
  return kind === 'Deployment' ? resources.deployments : resources.rollouts;
}

/** The template as the user wrote it, as `kubectl argo rollouts undo` puts it back. */
function templateOf({ spec }: KubeObject): unknown {
  const { [ROLLOUT_HASH_LABEL]: _hash, ...labels } = spec.template.metadata?.labels ?? {};
  return { ...spec.template, metadata: { ...spec.template.metadata, labels } };
}

function revisionOf({ metadata }: KubeObject): number {
  return Number(metadata.annotations?.[ROLLOUT_REVISION] ?? 0) || 0;
}

function noRevision(rollout: KubeObject, why: string): OperationError {
  return new OperationError(`${describe(rollout)} cannot go back: ${why}.`, {
    reason: 'NO_PREVIOUS_REVISION',
    next: ['Deploy the last good version again. `spec.revisionHistoryLimit` says how many old revisions are kept (10 by default).'],
  });
}
