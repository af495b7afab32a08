/**
 * What the quota admission says (k8s.io/apiserver, pkg/admission/plugin/resourcequota/controller.go), in a 403 or in a Deployment's condition.
 * `failed quota`: the pod does not state what is limited.
 */
const OVER_QUOTA = /exceeded quota: |failed quota: /;

/** Whether a message of the API server tells of a ResourceQuota. Pure. */
export function tellsOfQuota(message: string): boolean {
  return OVER_QUOTA.test(message);
}

/** What to do then. */
export const QUOTA_ADVICE =
  'Free or raise the quota that the message names (`failed quota`: state the requests and limits that it counts).';
