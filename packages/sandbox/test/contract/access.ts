import type { Case } from './case.js';
import { configMaps, deployments, namespace, pods, roleBindings, roles, serviceAccounts } from './objects.js';

const as = `system:serviceaccount:${namespace}:limited`;
const group = 'rbac.authorization.k8s.io';
const review = (name: string, spec: object): Case => ({
  name: `access: ${name}`,
  method: 'POST',
  path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
  as,
  body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec },
  show: ['kind', 'apiVersion', 'spec', 'status'],
});
const may = (name: string, attributes: object): Case => review(name, { resourceAttributes: { namespace, ...attributes } });
const ofShop = { group: 'apps', resource: 'deployments', name: 'shop' };
const status = { group: 'argoproj.io', resource: 'rollouts', subresource: 'status', verb: 'patch' };

/** What RBAC allows one account, asked by SelfSubjectAccessReview and tried. */
export const access: readonly Case[] = [
  { name: 'access: an account', method: 'POST', path: serviceAccounts, body: { metadata: { name: 'limited' } } },
  may('nothing yet', { ...ofShop, verb: 'get' }),
  {
    name: 'access: a role',
    method: 'POST',
    path: roles,
    body: {
      metadata: { name: 'limited' },
      rules: [
        { apiGroups: ['apps'], resources: ['deployments', 'deployments/scale'], resourceNames: ['shop'], verbs: ['get', 'patch', 'list'] },
        { apiGroups: ['argoproj.io'], resources: ['rollouts/status'], verbs: ['patch'] },
        { apiGroups: ['networking.k8s.io'], resources: ['*'], verbs: ['get'] },
        { apiGroups: [''], resources: ['pods'], verbs: ['*'] },
        { apiGroups: [''], resources: ['*/log'], verbs: ['get'] },
      ],
    },
  },
  {
    name: 'access: a binding',
    method: 'POST',
    path: roleBindings,
    body: {
      metadata: { name: 'limited' },
      roleRef: { apiGroup: group, kind: 'Role', name: 'limited' },
      subjects: [{ kind: 'ServiceAccount', name: 'limited', namespace }],
    },
    until: () => true,
  },
  {
    ...may('the named object', { ...ofShop, verb: 'patch' }),
    // Rules reach the authorizer a moment after they are stored.
    until: ({ status: answer }) => answer.allowed,
  },
  may('another object', { ...ofShop, name: 'other', verb: 'patch' }),
  may('any object', { ...ofShop, name: '', verb: 'patch' }),
  may('another verb', { ...ofShop, verb: 'delete' }),
  may('its scale', { ...ofShop, subresource: 'scale', verb: 'patch' }),
  may('its status', { ...ofShop, subresource: 'status', verb: 'patch' }),
  may('a subresource without its resource', { ...status, name: 'shop' }),
  may('the resource of that subresource', { ...status, subresource: '' }),
  may('every resource of a group', { group: 'networking.k8s.io', resource: 'ingresses', verb: 'get' }),
  may('every verb, asked one by one', { resource: 'pods', verb: 'deletecollection' }),
  may('every verb, asked at once', { resource: 'pods', verb: '*' }),
  may('every resource', { resource: '*', verb: 'get' }),
  may('a log by its kind of subresource', { resource: 'pods', subresource: 'log', verb: 'get' }),
  may('another namespace', { namespace: 'default', resource: 'pods', verb: 'get' }),
  may('all namespaces', { namespace: '', resource: 'pods', verb: 'get' }),
  review('of nothing', {}),
  { name: 'access: get refused', method: 'GET', path: `${deployments}/other`, as },
  { name: 'access: list refused', method: 'GET', path: configMaps, as },
  {
    name: 'access: list limited to the named object',
    method: 'GET',
    path: `${deployments}?fieldSelector=metadata.name%3Dshop`,
    as,
    show: ['kind'],
  },
  { name: 'access: list limited to another object', method: 'GET', path: `${deployments}?fieldSelector=metadata.name%3Dother`, as },
  { name: 'access: list of what may be read by name alone', method: 'GET', path: deployments, as },
  { name: 'access: list of all namespaces refused', method: 'GET', path: '/api/v1/pods', as },
  { name: 'access: create refused', method: 'POST', path: configMaps, as, body: { metadata: { name: 'no' } } },
  {
    name: 'access: patch of status refused',
    method: 'PATCH',
    path: `${deployments}/shop/status`,
    as,
    type: 'application/merge-patch+json',
    body: {},
  },
  { name: 'access: get allowed', method: 'GET', path: `${deployments}/shop`, as, show: ['kind', 'metadata.name'] },
  { name: 'access: list allowed', method: 'GET', path: `${pods}?labelSelector=nothing`, as, show: ['items'] },
  { name: 'access: log refused no more', method: 'GET', path: `${pods}/nope/log`, as },
];
