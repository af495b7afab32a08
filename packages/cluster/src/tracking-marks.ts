/**
 * Labels and annotations by which a delivery tool knows the objects of its manifests, and deletes those that no manifest has any more: Argo CD,
 * Flux, Helm, kapp, Fleet, Config Sync, `kubectl apply --applyset`. The first is Argo CD's default label, and Helm's own.
 */
const KEYS = new Set(['app.kubernetes.io/instance', 'config.k8s.io/owning-inventory']);
const DOMAINS = [
  'argocd.argoproj.io',
  'kustomize.toolkit.fluxcd.io',
  'helm.toolkit.fluxcd.io',
  'meta.helm.sh',
  'kapp.k14s.io',
  'objectset.rio.cattle.io',
  'configmanagement.gke.io',
  'configsync.gke.io',
  'applyset.kubernetes.io',
];
const MANAGED_BY = 'app.kubernetes.io/managed-by';

/** Labels or annotations for an object that is made from another, without those that would have a delivery tool delete it. Pure. */
export function withoutTrackingMarks(marks: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(marks).filter(([key, value]) => !isTrackingMark(key, value)));
}

function isTrackingMark(key: string, value: string): boolean {
  if (key === MANAGED_BY) return value === 'Helm';
  return KEYS.has(key) || DOMAINS.some((domain) => key.startsWith(`${domain}/`));
}
