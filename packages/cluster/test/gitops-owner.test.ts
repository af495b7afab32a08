import { describe, expect, it } from '@jest/globals';
import type { OperationError } from '@slipway/core';
import type { KubeObject } from '../src/kube.js';
import { warnOfGitopsDeployment } from '../src/traffic/gitops-deployment.js';
import { gitopsOwner, refuseGitopsOwner } from '../src/traffic/gitops-owner.js';
import { managersOf } from '../src/traffic/managed-fields.js';
import { deployment } from './objects.js';

type Meta = Partial<KubeObject['metadata']>;

/** The routes of a VirtualService are a list without keys, so they are owned as a whole. */
const http = { 'f:spec': { 'f:hosts': {}, 'f:http': {} } };
const hosts = { 'f:spec': { 'f:hosts': {} } };
const by = (manager: string, fieldsV1: object, operation = 'Apply') => ({
  manager,
  operation,
  apiVersion: 'v1',
  fieldsType: 'FieldsV1',
  fieldsV1,
});

function virtualService(metadata: Meta): KubeObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'shop', namespace: 'prod', ...metadata },
    spec: { hosts: ['shop'], http: [{ route: [] }] },
  };
}

const tracking = { 'argocd.argoproj.io/tracking-id': 'web:networking.istio.io/VirtualService:prod/shop' };
const kustomization = { 'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' };
const helmRelease = { 'helm.toolkit.fluxcd.io/name': 'shop', 'helm.toolkit.fluxcd.io/namespace': 'prod' };

describe('gitopsOwner', () => {
  const owned: [string, Meta, string, string][] = [
    [
      'Argo CD, applying',
      { managedFields: [by('argocd-controller', http)], annotations: tracking },
      'argo-cd',
      'Argo CD (Application web)',
    ],
    [
      'Argo CD, updating, known by its label',
      { managedFields: [by('argocd-controller', http, 'Update')], labels: { 'app.kubernetes.io/instance': 'shop' } },
      'argo-cd',
      'Argo CD (Application shop)',
    ],
    ['an old Argo CD', { managedFields: [by('argocd-application-controller', http)] }, 'argo-cd', 'Argo CD (Application unknown)'],
    [
      'Flux’s kustomize-controller',
      { managedFields: [by('kustomize-controller', http)], labels: kustomization },
      'flux-kustomize',
      'Flux (Kustomization flux-system/apps)',
    ],
    [
      'Flux’s helm-controller',
      { managedFields: [by('helm-controller', http)], labels: helmRelease },
      'flux-helm',
      'Flux (HelmRelease prod/shop)',
    ],
    [
      'Argo CD, after Slipway’s own write took the field',
      { managedFields: [by('argocd-controller', hosts), by('slipway', http, 'Update')], annotations: tracking },
      'argo-cd',
      'Argo CD (Application web)',
    ],
    [
      'Argo CD with kubectl’s apply',
      { managedFields: [by('kubectl-client-side-apply', http, 'Update')], annotations: tracking },
      'argo-cd',
      'Argo CD (Application web)',
    ],
    ['Flux, without managed fields', { labels: kustomization }, 'flux-kustomize', 'Flux (Kustomization flux-system/apps)'],
    [
      'Argo CD known by the label, after Slipway’s own write',
      {
        managedFields: [by('argocd-controller', hosts), by('slipway', http, 'Update')],
        labels: { 'app.kubernetes.io/instance': 'shop' },
      },
      'argo-cd',
      'Argo CD (Application shop)',
    ],
  ];

  it.each(owned)('knows %s', (_, metadata, controller, words) => {
    expect(gitopsOwner(virtualService(metadata), ['spec', 'http'])).toMatchObject({ controller, words });
  });

  const free: [string, Meta][] = [
    ['a person’s kubectl', { managedFields: [by('kubectl-edit', http, 'Update')] }],
    ['plain Helm, whose label Argo CD uses, too', { managedFields: [by('helm', http)], labels: { 'app.kubernetes.io/instance': 'shop' } }],
    [
      'another controller, of a field that the manifest does not have',
      { managedFields: [by('kube-controller-manager', http)], annotations: tracking },
    ],
    ['Argo CD, of other fields, in an object that it does not track', { managedFields: [by('argocd-controller', hosts)] }],
    ['Flux, of its status', { managedFields: [{ ...by('kustomize-controller', http), subresource: 'status' }] }],
    [
      'Flux, told to leave the object alone',
      {
        managedFields: [by('kustomize-controller', http)],
        labels: kustomization,
        annotations: { 'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent' },
      },
    ],
    ['nobody', {}],
  ];

  it.each(free)('lets pass %s', (_, metadata) => {
    expect(gitopsOwner(virtualService(metadata), ['spec', 'http'])).toBeUndefined();
  });

  it('takes managed fields of any other shape for none', () => {
    for (const odd of [null, 'x', 7, [null], ['x'], [{}], [{ manager: 'argocd-controller' }], [by('argocd-controller', { 'f:spec': 3 })]]) {
      const object = virtualService({ managedFields: odd as never });
      expect(managersOf(object, ['spec', 'http'])).toEqual([]);
      expect(gitopsOwner(object, ['spec', 'http'])).toBeUndefined();
    }
  });

  it('finds an item of a list by its key, whatever the order of the key’s fields', () => {
    const ports = { 'f:spec': { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:targetPort': {} }, 'k:{': {} } } };
    const service = virtualService({ managedFields: [by('argocd-controller', ports)] });
    expect(managersOf(service, ['spec', 'ports', { protocol: 'TCP', port: 80 }, 'targetPort'])).toEqual(['argocd-controller']);
    expect(managersOf(service, ['spec', 'ports', { protocol: 'TCP', port: 81 }, 'targetPort'])).toEqual([]);
    expect(managersOf(service, ['spec', 'ports'])).toEqual(['argocd-controller']);
    expect(managersOf(service, ['spec', 'ports', { port: 80, protocol: 'TCP' }, 'name'])).toEqual([]);
  });
});

function refusalOf(object: KubeObject, acknowledged = false): OperationError | undefined {
  try {
    refuseGitopsOwner(object, [['spec', 'http']], acknowledged);
    return undefined;
  } catch (error) {
    return error as OperationError;
  }
}

describe('refuseGitopsOwner', () => {
  const acknowledge = 'Then say so in slipway.yml, in `traffic` of this service:\n  gitops-ignores-weights: true';

  it('has the very YAML for Argo CD', () => {
    expect(refusalOf(virtualService({ managedFields: [by('argocd-controller', http)], annotations: tracking }))).toMatchObject({
      reason: 'GITOPS_OWNED',
      message: expect.stringContaining('Argo CD (Application web) keeps spec.http of VirtualService prod/shop as its Git repository says'),
      next: [
        `Add to Argo CD Application web:
spec:
  ignoreDifferences:
  - group: networking.istio.io
    kind: VirtualService
    name: shop
    namespace: prod
    jsonPointers:
    - /spec/http
  syncPolicy:
    syncOptions:
    - RespectIgnoreDifferences=true
To change these routes in Git later, take the entry out for one sync.`,
        acknowledge,
      ],
    });
  });

  it('has it for Flux', () => {
    const kustomized = refusalOf(virtualService({ managedFields: [by('kustomize-controller', http)], labels: kustomization }));
    expect(kustomized?.next[0]).toContain('metadata:\n  annotations:\n    kustomize.toolkit.fluxcd.io/ssa: IfNotPresent');
    const released = refusalOf(virtualService({ managedFields: [by('helm-controller', http)], labels: helmRelease }));
    expect(released?.next).toEqual([
      `Add to HelmRelease shop in namespace prod:
spec:
  driftDetection:
    ignore:
    - paths: [/spec/http]
      target: {kind: VirtualService, name: shop}`,
      acknowledge,
    ]);
  });

  it('lets pass what was acknowledged, and what nobody owns', () => {
    expect(refusalOf(virtualService({ managedFields: [by('argocd-controller', http)] }), true)).toBeUndefined();
    expect(refusalOf(virtualService({}))).toBeUndefined();
  });

  it('writes a field whose name has a slash as JSON pointers have it', () => {
    const ingress: KubeObject = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: {
        name: 'shop',
        annotations: { 'nginx.ingress.kubernetes.io/canary-weight': '0' },
        managedFields: [
          by('argocd-controller', { 'f:metadata': { 'f:annotations': { 'f:nginx.ingress.kubernetes.io/canary-weight': {} } } }),
        ],
      },
    };
    const path = ['metadata', 'annotations', 'nginx.ingress.kubernetes.io/canary-weight'];
    expect(() => refuseGitopsOwner(ingress, [path], false)).toThrow(
      expect.objectContaining({
        next: [expect.stringContaining('    - /metadata/annotations/nginx.ingress.kubernetes.io~1canary-weight\n'), acknowledge],
      }),
    );
  });
});

describe('a Deployment that GitOps owns', () => {
  function shop(fields: object, labels: Record<string, string> = { app: 'shop' }): KubeObject {
    const made = deployment('shop');
    made.metadata.annotations = tracking;
    made.metadata.managedFields = [by('argocd-controller', fields)];
    made.spec.template.metadata.labels = labels;
    return made;
  }
  const image = { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { 'f:image': {} } } } } };
  const options = { container: 'web', writesReplicas: false };

  it('is warned of: the next sync would put the former image back', () => {
    const told = warnOfGitopsDeployment(shop({ 'f:spec': image }), options);
    expect(told?.warning).toBe(
      'Argo CD (Application web) keeps image of Deployment shop/shop as its Git repository says: after the promotion its next sync would put the former version back.',
    );
    expect(told?.next[0]).toContain('Commit the new image');
    expect(told?.next[1]).toContain(
      `    jqPathExpressions:\n    - '.spec.template.spec.containers[]? | select(.name == "web") | .image'\n  syncPolicy:`,
    );
  });

  it('names the version label and, where the replicas are written, these', () => {
    const fields = {
      'f:spec': { ...image, 'f:replicas': {}, 'f:template': { ...image['f:template'], 'f:metadata': { 'f:labels': { 'f:version': {} } } } },
    };
    const made = shop(fields, { app: 'shop', version: 'v1' });
    const told = warnOfGitopsDeployment(made, { container: 'web', writesReplicas: true });
    expect(told?.warning).toContain('keeps image, replicas, label version of');
    expect(told?.next[1]).toContain('    jsonPointers:\n    - /spec/replicas\n    - /spec/template/metadata/labels/version\n');
    expect(warnOfGitopsDeployment(made, options)?.warning).not.toContain('replicas');
  });

  it('is not warned of when the manifest leaves these fields out, or the container is another', () => {
    const untracked = shop({ 'f:spec': { 'f:selector': {} } });
    untracked.metadata.annotations = {};
    expect(warnOfGitopsDeployment(untracked, options)).toBeUndefined();
    const sidecar = shop({ 'f:spec': image });
    sidecar.metadata.annotations = {};
    expect(warnOfGitopsDeployment(sidecar, { ...options, container: 'other' })).toBeUndefined();
    expect(warnOfGitopsDeployment(deployment('shop'), options)).toBeUndefined();
  });
});
