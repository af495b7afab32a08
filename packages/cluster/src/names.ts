/** Label that tells the two tracks of a service apart. */
export const TRACK_LABEL = 'track';
export const STABLE = 'stable';
export const CANARY = 'canary';

/** Annotations of objects that a rollout made. */
export const annotations = {
  /** Id of the rollout that made the object. */
  rollout: 'slipway.dev/rollout',
  /** Name of the stable Deployment whose canary this is. */
  canaryOf: 'slipway.dev/canary-of',
  /** The version being released. */
  version: 'slipway.dev/version',
} as const;

/** Set by the deployment controller on Deployments and ReplicaSets. */
export const REVISION_ANNOTATION = 'deployment.kubernetes.io/revision';
/** Set by the deployment controller on ReplicaSets and their pods. */
export const TEMPLATE_HASH_LABEL = 'pod-template-hash';
/** Set by `kubectl apply`. */
export const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';
