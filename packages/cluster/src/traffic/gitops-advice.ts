import type { KubeObject } from '../kube.js';
import type { GitopsOwner } from './gitops-owner.js';
import type { FieldPath } from './managed-fields.js';

/**
 * What to add so that the controller leaves the fields alone, as YAML with its place. Pure.
 *
 * Argo CD: `ignoreDifferences` hides a difference, only with `RespectIgnoreDifferences=true` does a sync leave it as well. Inside a list of a custom
 * resource single fields cannot be left (argoproj/argo-cd#17694: the whole list is taken from the live object), so the list is named.
 * Flux Kustomization: an object is applied whole, unless it carries the annotation below. Flux HelmRelease: drift is ignored by JSON pointer.
 */
export function ignoreAdvice(owner: GitopsOwner, object: KubeObject, paths: readonly FieldPath[]): string {
  switch (owner.controller) {
    case 'argo-cd':
      return argoCd(owner, object, paths);
    case 'flux-kustomize':
      return [
        `In Git, add to the manifest of ${object.kind} ${object.metadata.name}:`,
        'metadata:',
        '  annotations:',
        '    kustomize.toolkit.fluxcd.io/ssa: IfNotPresent',
        'Flux then makes the object when it is not there and leaves it alone when it is; a change of its manifest has to be applied by hand.',
      ].join('\n');
    case 'flux-helm':
      return [
        `Add to HelmRelease ${owner.name ?? '<name>'}${owner.namespace ? ` in namespace ${owner.namespace}` : ''}:`,
        'spec:',
        '  driftDetection:',
        '    ignore:',
        `    - paths: [${paths.map((path) => quote(pointer(object, path))).join(', ')}]`,
        `      target: {kind: ${object.kind}, name: ${object.metadata.name}}`,
      ].join('\n');
  }
}

/** A field as a JSON pointer, items of lists by their index in the object. Pure. */
export function pointer(object: KubeObject, path: FieldPath): string {
  let node: unknown = object;
  return path
    .map((step) => {
      const index = typeof step === 'string' ? step : indexOf(node, step);
      node = (node as Record<string, unknown> | undefined)?.[index];
      return `/${String(index).replaceAll('~', '~0').replaceAll('/', '~1')}`;
    })
    .join('');
}

function argoCd({ name = '<application>' }: GitopsOwner, object: KubeObject, paths: readonly FieldPath[]): string {
  const [group = ''] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : [''];
  const namespace = object.metadata.namespace;
  const lists = paths.some((path) => Array.isArray(path.reduce<unknown>((node, step) => (node as never)?.[step as never], object)));
  return [
    `Add to Argo CD Application ${name}:`,
    'spec:',
    '  ignoreDifferences:',
    ...(group === '' ? ['  - group: ""'] : [`  - group: ${group}`]),
    `    kind: ${object.kind}`,
    `    name: ${object.metadata.name}`,
    ...(namespace === undefined ? [] : [`    namespace: ${namespace}`]),
    ...matchers(object, paths),
    '  syncPolicy:',
    '    syncOptions:',
    '    - RespectIgnoreDifferences=true',
    ...(lists ? ['To change these routes in Git later, take the entry out for one sync.'] : []),
  ].join('\n');
}

/** A field inside an item of a list by jq, which finds the item wherever it is; everything else by JSON pointer. */
function matchers(object: KubeObject, paths: readonly FieldPath[]): string[] {
  const inside = paths.filter((path) => path.some((step) => typeof step !== 'string'));
  const plain = paths.filter((path) => !inside.includes(path));
  return [
    ...(plain.length === 0 ? [] : ['    jsonPointers:', ...plain.map((path) => `    - ${quote(pointer(object, path))}`)]),
    ...(inside.length === 0 ? [] : ['    jqPathExpressions:', ...inside.map((path) => `    - '${jq(path)}'`)]),
  ];
}

/** `.spec.template.spec.containers[]? | select(.name == "web") | .image` */
function jq(path: FieldPath): string {
  const [first = '', ...parts] = path.reduce<string[]>(
    (words, step) => {
      if (typeof step !== 'string') {
        const tests = Object.entries(step).map(([name, value]) => `.${name} == ${JSON.stringify(value)}`);
        return [`${words.join(' | ')}[]?`, `select(${tests.join(' and ')})`, ''];
      }
      const last = words.at(-1) ?? '';
      return [
        ...words.slice(0, -1),
        `${last}${/^[A-Za-z_][A-Za-z0-9_]*$/.test(step) ? `.${step}` : `${last === '' ? '.' : ''}[${JSON.stringify(step)}]`}`,
      ];
    },
    [''],
  );
  return [first, ...parts].filter((part) => part !== '').join(' | ');
}

function indexOf(node: unknown, key: Readonly<Record<string, unknown>>): number {
  const items: unknown[] = Array.isArray(node) ? node : [];
  return Math.max(
    0,
    items.findIndex((item) => Object.entries(key).every(([name, value]) => (item as Record<string, unknown> | null)?.[name] === value)),
  );
}

/** In YAML a plain scalar may hold a pointer's characters, except `~` at its start and ` #`. */
function quote(text: string): string {
  return /^[A-Za-z0-9/._~-]+$/.test(text) ? text : JSON.stringify(text);
}
