import { isDeepStrictEqual } from 'node:util';
import { OperationError } from '@slipway/core';
import type { KubeClient, KubeObject } from '../kube.js';
import { annotations } from '../names.js';
import { resources } from '../resources.js';
import { readReplicaSets } from '../workloads/children.js';
import { setImage, withVersionLabel } from '../workloads/image.js';
import { type Revision, revisionsOf } from '../workloads/undo.js';
import { describe, workloadOf } from '../workloads/workload.js';
import type { EngineOptions } from './argo-rollouts.js';
import type { RolloutEngine } from './engine.js';
import { ambiguous, listUnlessForbidden, readEngineObject, specInvalid, unsupportedTarget } from './engine-refusals.js';
import { type FlaggerObjects, flaggerView, thresholdOf } from './flagger-view.js';

/** Phases in which Flagger compares its failed checks with the threshold. */
const CHECKED = ['Progressing', 'WaitingPromotion'];

/** Begins the value of the rollout annotation while a canary is being taken back. */
const ABORTED = 'aborted-';

/**
 * A service whose Canary is driven by Flagger. Sends nothing yet.
 *
 * Flagger has no verb for abort, and goes back by routing to the primary and removing the canary's pods in the same moment, while requests are
 * still on their way to them. So `abort` is told in two parts, which its caller repeats until Flagger has failed the canary. While the canary has
 * users: the former template with a mark of ours, whereupon its pods are the former version's within seconds, and Flagger, at its next look, takes it
 * for a new revision and routes everybody to the primary. Then: the former template exactly, which Flagger does not take for a new revision because it
 * has promoted it before, and as many failed checks as its threshold allows, whereupon it fails the canary and removes its pods.
 */
export function flagger(client: KubeClient, { namespace, name, container }: EngineOptions): RolloutEngine {
  let last: FlaggerObjects | undefined;
  /** The target's revisions by its generation: an abort must not have to read them first. */
  let revisions: { generation: number | undefined; list: Revision[] } | undefined;

  async function readObjects(by = client): Promise<FlaggerObjects> {
    const canary = await readEngineObject(by, resources.canaries, namespace, name);
    const reference = canary.spec?.targetRef ?? {};
    if (reference.kind !== 'Deployment') throw unsupportedTarget(canary, `a ${reference.kind}`, 'a Deployment as its targetRef');
    const [target, primary] = await Promise.all([
      by.get(resources.deployments, namespace, String(reference.name)),
      by.find(resources.deployments, namespace, `${reference.name}-primary`),
    ]);
    last = { canary, target, primary };
    return last;
  }

  async function readRevisions(target: KubeObject, by = client): Promise<Revision[]> {
    const { generation } = target.metadata;
    if (revisions?.generation === generation && revisions !== undefined) return revisions.list;
    revisions = { generation, list: revisionsOf(await readReplicaSets(by, target)) };
    return revisions.list;
  }

  const objects = async (by = client) => last ?? readObjects(by);

  async function patchCanary(body: object, by = client, subresource?: 'status'): Promise<void> {
    const options = subresource === undefined ? {} : { subresource };
    const canary = await by.patch(resources.canaries, namespace, name, { type: 'merge', body }, options);
    if (last) last = { ...last, canary };
  }

  async function setTemplate(target: KubeObject, template: unknown, by = client): Promise<void> {
    if (isDeepStrictEqual(target.spec.template, template)) return;
    const patch = {
      type: 'json' as const,
      body: [
        { op: 'test' as const, path: '/spec/template', value: target.spec.template },
        { op: 'replace' as const, path: '/spec/template', value: template },
      ],
    };
    const changed = await by.patch(resources.deployments, namespace, target.metadata.name, patch);
    if (last) last = { ...last, target: changed };
  }

  /** True: the template was not what serves. */
  async function takeBack({ target, primary }: FlaggerObjects, marked: boolean, by = client): Promise<boolean> {
    if (!primary) return false;
    const wasMarked = rolloutOf(target).startsWith(ABORTED);
    if (!differs(target, primary) && (marked || !wasMarked)) return false;
    const former = formerTemplate(target, primary, await readRevisions(target, by));
    await setTemplate(target, marked ? markedTemplate(former, target) : former, by);
    return true;
  }

  return {
    kind: 'flagger',
    objectKind: 'Canary',
    async check() {
      const seen = await readObjects();
      const all = await listUnlessForbidden(client, resources.canaries, namespace);
      refuseUndrivable(seen, all === 'no such API' ? [] : all);
      return flaggerView(seen, container);
    },
    async read() {
      const seen = await readObjects();
      const view = flaggerView(seen, container);
      if (view.standing === 'underway') await readRevisions(seen.target);
      return view;
    },
    async start(image, { id, version }) {
      const { target } = await readObjects();
      // The same image again would be no change, and Flagger would not begin anew.
      await setTemplate(target, releaseTemplate(target, workloadOf(target, container).container, image, id, version));
    },
    hold: () => patchCanary({ spec: { suspend: true } }),
    resume: () => patchCanary({ spec: { suspend: false } }),
    /** Flagger goes on by itself; all that can be ended is a hold. */
    async advance() {
      const { canary } = await readObjects();
      if (canary.spec?.suspend === true) await patchCanary({ spec: { suspend: false } });
    },
    promoteFull: () => patchCanary({ spec: { skipAnalysis: true, suspend: false } }),
    async abort(by = client) {
      const seen = await objects(by);
      const { canary } = seen;
      const threshold = thresholdOf(canary);
      const checked = CHECKED.includes(canary.status?.phase);
      const marked = checked && hasUsers(canary);
      const fails = checked && !marked && !(canary.status?.failedChecks >= threshold);
      const spec = {
        ...(canary.spec?.suspend === true ? { suspend: false } : {}),
        ...(canary.spec?.skipAnalysis === true ? { skipAnalysis: false } : {}),
      };
      await Promise.all([
        takeBack(seen, marked, by),
        fails ? patchCanary({ status: { failedChecks: threshold } }, by, 'status') : undefined,
        Object.keys(spec).length > 0 ? patchCanary({ spec }, by) : undefined,
      ]);
    },
    abortWords: () => `let Canary ${namespace}/${name} fail and put the former template back`,
    restoreSpec: async (by = client) => takeBack(await readObjects(by), false, by),
    async undo(image) {
      const { target, primary } = await readObjects();
      const { container: released } = workloadOf(target, container);
      const former = (await readRevisions(target)).find((each) => each.images[released] === image && !isMarked(each));
      if (!former) throw noRevision(target, image);
      // Users first: Flagger looks at the Canary once in an interval, and would take two looks to bring the template to the primary.
      if (primary) await setImage(client, workloadOf(primary, released), image);
      await patchCanary({ spec: { skipAnalysis: true, suspend: false } });
      await setTemplate(target, former.template);
    },
    memory: () => ({ skipAnalysis: last?.canary.spec?.skipAnalysis === true }),
    async tidy({ skipAnalysis }) {
      const { canary } = await readObjects();
      const wanted = skipAnalysis === true;
      const changed = (canary.spec?.skipAnalysis === true) !== wanted;
      if (changed || canary.spec?.suspend === true) await patchCanary({ spec: { skipAnalysis: wanted, suspend: false } });
    },
  };
}

/** Whether the target asks for another image than the primary has, in any container. */
function differs(target: KubeObject, primary: KubeObject): boolean {
  return !isDeepStrictEqual(imagesOf(target), imagesOf(primary));
}

function imagesOf({ spec }: KubeObject): Record<string, string> {
  const containers: { name: string; image: string }[] = spec?.template?.spec?.containers ?? [];
  return Object.fromEntries(containers.map(({ name, image }) => [name, image]));
}

/** Whether requests may be on their way to the canary, by the controller's word. */
function hasUsers({ status }: KubeObject): boolean {
  return status?.canaryWeight > 0 || status?.iterations > 0;
}

function rolloutOf({ spec }: KubeObject): string {
  return spec?.template?.metadata?.annotations?.[annotations.rollout] ?? '';
}

function isMarked({ template }: Revision): boolean {
  return String(template?.metadata?.annotations?.[annotations.rollout] ?? '').startsWith(ABORTED);
}

/** A template that Flagger has not promoted: the former one, with a mark of this attempt's own. */
// biome-ignore lint/suspicious/noExplicitAny: a pod template is copied whole
function markedTemplate(former: any, target: KubeObject): unknown {
  const mark = `${ABORTED}${rolloutOf(target) || target.metadata.generation}`;
  return { ...former, metadata: { ...former.metadata, annotations: { ...former.metadata?.annotations, [annotations.rollout]: mark } } };
}

/** The newest template whose images are the primary's; where none is kept, the present one with the primary's images. */
function formerTemplate(target: KubeObject, primary: KubeObject, list: readonly Revision[]): unknown {
  const images = imagesOf(primary);
  const former = list.find((revision) => isDeepStrictEqual(revision.images, images) && !isMarked(revision));
  if (former) return former.template;
  const { template } = target.spec;
  const containers = template.spec.containers.map((each: { name: string; image: string }) => ({
    ...each,
    image: images[each.name] ?? each.image,
  }));
  return { ...template, spec: { ...template.spec, containers } };
}

function releaseTemplate(target: KubeObject, container: string, image: string, id: string, version: string | null): unknown {
  const template = withVersionLabel(target.spec.template, target.spec.selector, version);
  const containers = template.spec.containers.map((each: { name: string }) => (each.name === container ? { ...each, image } : each));
  const metadata = { ...template.metadata, annotations: { ...template.metadata?.annotations, [annotations.rollout]: id } };
  return { ...template, metadata, spec: { ...template.spec, containers } };
}

function refuseUndrivable({ canary, target, primary }: FlaggerObjects, all: readonly KubeObject[]): void {
  const phase = canary.status?.phase ?? '';
  if (phase === 'Terminating' || phase === 'Terminated') throw specInvalid(canary, `it is being deleted (${phase})`);
  const others = all.filter(
    (each) =>
      each.metadata.uid !== canary.metadata.uid &&
      each.spec?.targetRef?.name === target.metadata.name &&
      each.spec?.targetRef?.kind === 'Deployment',
  );
  if (others.length > 0) throw ambiguous(canary, others, describe(target));
  if (primary && target.spec?.paused === true) throw specInvalid(canary, `${describe(target)} is paused`);
}

function noRevision(target: KubeObject, image: string): OperationError {
  return new OperationError(`${describe(target)} cannot go back: no ReplicaSet of it has ${image} any more.`, {
    reason: 'NO_PREVIOUS_REVISION',
    next: ['Deploy the last good version again. `spec.revisionHistoryLimit` says how many old revisions are kept (10 by default).'],
  });
}
