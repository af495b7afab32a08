import { OperationError } from '@slipway/core';
import type { KubeObject } from '../kube.js';
import { describe } from '../workloads/workload.js';
import { ignoreAdvice } from './gitops-advice.js';
import { type FieldPath, managersOf, valueAt } from './managed-fields.js';

/** Who keeps an object as a Git repository says. */
export interface GitopsOwner {
  controller: 'argo-cd' | 'flux-kustomize' | 'flux-helm';
  /** Name of the Application, Kustomization or HelmRelease, when the object says it. */
  name?: string;
  /** Its namespace, when the object says it; Argo CD's does not. */
  namespace?: string;
  /** `Argo CD (Application shop)`. */
  words: string;
}

type Controller = GitopsOwner['controller'];

/** Field managers of the controllers, as they stand in `metadata.managedFields`. */
const MANAGERS: Record<Controller, RegExp> = {
  'argo-cd': /^argocd-(application-)?controller$/,
  'flux-kustomize': /^kustomize-controller$/,
  'flux-helm': /^helm-controller$/,
};

/** Managers from whom a controller that tracks the object takes a field of its manifest back: a person, a pipeline, Slipway itself. */
const TAKEN_BACK_FROM = /^(kubectl|helm$|slipway$)/;

const TRACKING_ID = 'argocd.argoproj.io/tracking-id';
const FLUX = 'kustomize.toolkit.fluxcd.io';
const INSTANCE = 'app.kubernetes.io/instance';

/**
 * The GitOps controller that would put the field back when Slipway has written it: the one that owns it by `metadata.managedFields`; or, when
 * the owner is a person, a pipeline or Slipway (whose last write made it the owner), the one that tracks the object. A field that is owned by
 * another controller (an autoscaler) is not in the manifest. Pure.
 */
export function gitopsOwner(object: KubeObject, path: FieldPath): GitopsOwner | undefined {
  if (isLeftAlone(object)) return undefined;
  const managers = managersOf(object, path);
  const owning = controllers.find((controller) => managers.some((manager) => MANAGERS[controller].test(manager)));
  if (owning) return ownerOf(owning, object);
  const tracking = trackedBy(object);
  if (!tracking || valueAt(object, path) === undefined) return undefined;
  return managers.length === 0 || managers.some((manager) => TAKEN_BACK_FROM.test(manager)) ? ownerOf(tracking, object) : undefined;
}

/**
 * GITOPS_OWNED when a GitOps controller owns one of the fields that Slipway is to write, unless `acknowledged` (`gitops-ignores-weights` in
 * slipway.yml); `next` has the very YAML that makes the controller ignore them. Pure.
 */
export function refuseGitopsOwner(object: KubeObject, paths: readonly FieldPath[], acknowledged: boolean): void {
  if (acknowledged) return;
  const owned = paths.filter((path) => gitopsOwner(object, path) !== undefined);
  const owner = owned[0] && gitopsOwner(object, owned[0]);
  if (!owner) return;
  const fields = owned.map((path) => path.map((step) => (typeof step === 'string' ? step : JSON.stringify(step))).join('.')).join(', ');
  throw new OperationError(
    `${owner.words} keeps ${fields} of ${describe(object)} as its Git repository says: it would undo what a rollout writes there.`,
    {
      reason: 'GITOPS_OWNED',
      next: [
        ignoreAdvice(owner, object, paths),
        'Then say so in slipway.yml, in `traffic` of this service:\n  gitops-ignores-weights: true',
      ],
      details: { controller: owner.controller, ...(owner.name === undefined ? {} : { name: owner.name }), fields },
    },
  );
}

/** Flux was told by the object itself to leave it alone. */
function isLeftAlone({ metadata: { annotations = {}, labels = {} } }: KubeObject): boolean {
  const mark = (name: string) => (annotations[name] ?? labels[name] ?? '').toLowerCase();
  return ['ifnotpresent', 'ignore'].includes(mark(`${FLUX}/ssa`)) || mark(`${FLUX}/reconcile`) === 'disabled';
}

const controllers = Object.keys(MANAGERS) as Controller[];

/** By the marks that the controllers leave on what they apply. The label `app.kubernetes.io/instance` alone is no mark: Helm sets it, too. */
function trackedBy(object: KubeObject): Controller | undefined {
  const { labels = {}, annotations = {} } = object.metadata;
  if (annotations[TRACKING_ID] !== undefined) return 'argo-cd';
  if (labels[fluxLabel('kustomize', 'name')] !== undefined) return 'flux-kustomize';
  if (labels[fluxLabel('helm', 'name')] !== undefined) return 'flux-helm';
  const entries: unknown = object.metadata.managedFields;
  const applied = Array.isArray(entries) && entries.some((entry) => MANAGERS['argo-cd'].test(String(entry?.manager)));
  return applied && labels[INSTANCE] !== undefined ? 'argo-cd' : undefined;
}

function ownerOf(controller: Controller, object: KubeObject): GitopsOwner {
  const { labels = {}, annotations = {} } = object.metadata;
  if (controller === 'argo-cd') {
    // `<application>:<group>/<kind>:<namespace>/<name>`
    const name = annotations[TRACKING_ID]?.split(':')[0] || labels[INSTANCE];
    return { controller, ...(name === undefined ? {} : { name }), words: `Argo CD (Application ${name ?? 'unknown'})` };
  }
  const tool = controller === 'flux-helm' ? 'helm' : 'kustomize';
  const kind = controller === 'flux-helm' ? 'HelmRelease' : 'Kustomization';
  const name = labels[fluxLabel(tool, 'name')];
  const namespace = labels[fluxLabel(tool, 'namespace')];
  return {
    controller,
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    words: `Flux (${kind} ${namespace === undefined ? '' : `${namespace}/`}${name ?? 'unknown'})`,
  };
}

function fluxLabel(tool: 'kustomize' | 'helm', part: 'name' | 'namespace'): string {
  return `${tool}.toolkit.fluxcd.io/${part}`;
}
