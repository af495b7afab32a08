import type { Case } from './case.js';
import { applyType, backends, gateway, gateways, httpRoute, httpRoutes, json, merge, strategic } from './objects.js';

const needs = 'gateway.networking.k8s.io';
const weights = { path: '/spec/rules/0/backendRefs/0/weight', op: 'test' };
const rules = (stable: number, canary: number) => ({ rules: [{ backendRefs: backends(stable, canary) }] });
/** As stored: an atomic list is compared with the defaults that the server filled in. */
const storedRules = (stable: number, canary: number) => ({
  rules: [
    {
      matches: [{ path: { type: 'PathPrefix', value: '/' } }],
      backendRefs: backends(stable, canary).map((backend) => ({ group: '', kind: 'Service', ...backend })),
    },
  ],
});
const broken = (name: string, rule: object): Case => ({
  name: `HTTPRoute: ${name}`,
  needs,
  method: 'POST',
  path: httpRoutes,
  body: httpRoute('bad', { rules: [rule] }),
});
const listener = (name: string, port: number) => ({ name, port, protocol: 'HTTP' });

/** HTTPRoute and Gateway: defaults, schema, rules, lists that are atomic and lists that merge. */
export const gatewayApi: readonly Case[] = [
  {
    name: 'HTTPRoute: defaults, and what the schema does not know is dropped',
    needs,
    method: 'POST',
    path: httpRoutes,
    body: httpRoute('shop', {
      parentRefs: [{ name: 'gate' }, { group: '', kind: 'Service', name: 'shop', port: 80 }],
      hostnames: ['shop.example'],
      nonsense: true,
      rules: [
        {
          name: 'primary',
          backendRefs: [
            { name: 'shop', port: 80, odd: 1 },
            { name: 'shop-canary', port: 80, weight: 0 },
          ],
        },
      ],
    }),
    show: ['spec', 'metadata.generation', 'metadata.managedFields'],
  },
  { name: 'HTTPRoute: without a kind', needs, method: 'POST', path: httpRoutes, body: { metadata: { name: 'bad' }, spec: {} } },
  { name: 'HTTPRoute: without a spec', needs, method: 'POST', path: httpRoutes, body: httpRoute('bad') },
  broken('weights out of range', {
    backendRefs: [
      { name: 'a', port: 80, weight: -1 },
      { name: 'b', port: 0, weight: 2000000 },
    ],
  }),
  broken('weight as text, no name', { backendRefs: [{ port: 80, weight: '3' }] }),
  broken('a Service without a port', { backendRefs: [{ name: 'shop' }] }),
  broken('an unknown filter', { filters: [{ type: 'Nope' }] }),
  broken('a filter without its field', { filters: [{ type: 'RequestMirror' }] }),
  broken('a field of another filter', { filters: [{ type: 'RequestMirror', urlRewrite: { hostname: 'a.example' } }] }),
  broken('mirror percent out of range', {
    filters: [{ type: 'RequestMirror', requestMirror: { backendRef: { name: 'shop', port: 80 }, percent: 101 } }],
  }),
  broken('mirror percent and fraction', {
    filters: [{ type: 'RequestMirror', requestMirror: { backendRef: { name: 's', port: 80 }, percent: 1, fraction: { numerator: 1 } } }],
  }),
  broken('a path that does not begin with a slash', { matches: [{ path: { value: 'a' } }] }),
  broken('an unknown method', { matches: [{ method: 'get' }] }),
  broken('a header twice', {
    matches: [
      {
        headers: [
          { name: 'x', value: '1' },
          { name: 'x', value: '2' },
        ],
      },
    ],
  }),
  broken('a header name with a space, an empty value', { matches: [{ headers: [{ name: 'x y', value: '' }] }] }),
  broken('a filter twice', {
    filters: [
      { type: 'URLRewrite', urlRewrite: { hostname: 'a.example' } },
      { type: 'URLRewrite', urlRewrite: { hostname: 'b.example' } },
    ],
  }),
  { name: 'HTTPRoute: no rules', needs, method: 'POST', path: httpRoutes, body: httpRoute('bad', { rules: [] }) },
  {
    name: 'HTTPRoute: header match and mirror',
    needs,
    method: 'PATCH',
    path: `${httpRoutes}/shop`,
    type: merge,
    body: {
      spec: {
        rules: [
          { matches: [{ headers: [{ name: 'x-canary', value: 'true' }] }], backendRefs: [{ name: 'shop-canary', port: 80 }] },
          {
            filters: [{ type: 'RequestMirror', requestMirror: { backendRef: { name: 'shop-canary', port: 80 }, percent: 10 } }],
            backendRefs: backends(100, 0),
          },
        ],
      },
    },
    show: ['spec.rules', 'metadata.generation'],
  },
  { name: 'HTTPRoute: strategic merge', needs, method: 'PATCH', path: `${httpRoutes}/shop`, type: strategic, body: { spec: {} } },
  {
    name: 'HTTPRoute: JSON patch whose test fails',
    needs,
    method: 'PATCH',
    path: `${httpRoutes}/shop`,
    type: json,
    body: [{ op: 'test', path: '/spec/rules/1/backendRefs/0/weight', value: 50 }],
  },
  {
    name: 'HTTPRoute: JSON patch of weights',
    needs,
    method: 'PATCH',
    path: `${httpRoutes}/shop`,
    type: json,
    body: [
      { ...weights, path: '/spec/rules/1/backendRefs/0/weight', value: 100 },
      { op: 'replace', path: '/spec/rules/1/backendRefs/0/weight', value: 90 },
      { op: 'replace', path: '/spec/rules/1/backendRefs/1/weight', value: 10 },
    ],
    show: ['spec.rules', 'metadata.generation'],
  },
  {
    name: 'HTTPRoute: PUT without a resourceVersion',
    needs,
    method: 'PUT',
    path: `${httpRoutes}/shop`,
    body: httpRoute('shop', rules(1, 0)),
  },
  {
    name: 'HTTPRoute: apply conflicts with who wrote the rules',
    needs,
    method: 'PATCH',
    path: `${httpRoutes}/shop?fieldManager=one`,
    type: applyType,
    body: httpRoute('shop', rules(50, 50)),
  },
  {
    name: 'HTTPRoute: forced apply takes all rules, for the list is atomic',
    needs,
    method: 'PATCH',
    path: `${httpRoutes}/shop?fieldManager=one&force=true`,
    type: applyType,
    body: httpRoute('shop', rules(50, 50)),
    show: ['spec', 'metadata.managedFields'],
  },
  {
    name: 'HTTPRoute: another manager applies the same, but for the defaults',
    needs,
    method: 'PATCH',
    path: `${httpRoutes}/shop?fieldManager=two`,
    type: applyType,
    body: httpRoute('shop', rules(50, 50)),
  },
  {
    name: 'HTTPRoute: another manager applies the same',
    needs,
    method: 'PATCH',
    path: `${httpRoutes}/shop?fieldManager=two`,
    type: applyType,
    body: httpRoute('shop', storedRules(50, 50)),
    show: ['spec', 'metadata.managedFields'],
  },
  {
    name: 'HTTPRoute: and now the first may not change it',
    needs,
    method: 'PATCH',
    path: `${httpRoutes}/shop?fieldManager=one`,
    type: applyType,
    body: httpRoute('shop', rules(60, 40)),
  },
  {
    name: 'HTTPRoute: a dry run of that by force',
    needs,
    method: 'PATCH',
    path: `${httpRoutes}/shop?fieldManager=one&force=true&dryRun=All`,
    type: applyType,
    body: httpRoute('shop', rules(60, 40)),
    show: ['spec', 'metadata.generation'],
  },
  { name: 'HTTPRoute: after the dry run', needs, method: 'GET', path: `${httpRoutes}/shop`, show: ['spec', 'metadata.generation'] },
  {
    name: 'HTTPRoute: one leaves, two still owns',
    needs,
    method: 'PATCH',
    path: `${httpRoutes}/shop?fieldManager=one`,
    type: applyType,
    body: httpRoute('shop'),
    show: ['spec', 'metadata.managedFields'],
  },
  {
    name: 'HTTPRoute: status is written apart',
    needs,
    method: 'PATCH',
    path: `${httpRoutes}/shop/status`,
    type: merge,
    body: {
      spec: { hostnames: [] },
      status: {
        parents: [
          {
            controllerName: 'example.com/gate',
            parentRef: { name: 'gate' },
            conditions: [{ type: 'Accepted', status: 'True', reason: 'Accepted', message: '', lastTransitionTime: '2026-01-02T03:04:05Z' }],
          },
        ],
      },
    },
    show: ['spec.hostnames', 'status', 'metadata.generation'],
  },
  {
    name: 'HTTPRoute: a condition that is neither true nor false',
    needs,
    method: 'PATCH',
    path: `${httpRoutes}/shop/status`,
    type: json,
    body: [{ op: 'replace', path: '/status/parents/0/conditions/0/status', value: 'Maybe' }],
  },
  {
    name: 'Gateway: defaults',
    needs,
    method: 'POST',
    path: gateways,
    body: gateway('gate', [listener('http', 80)]),
    show: ['spec', 'metadata.generation'],
  },
  {
    name: 'Gateway: listeners alike',
    needs,
    method: 'POST',
    path: gateways,
    body: gateway('bad', [listener('a', 80), listener('b', 80)]),
  },
  {
    name: 'Gateway: listener names twice',
    needs,
    method: 'POST',
    path: gateways,
    body: gateway('bad', [listener('a', 80), listener('a', 81)]),
  },
  {
    name: 'Gateway: apply adds a listener, for the list merges by name',
    needs,
    method: 'PATCH',
    path: `${gateways}/gate?fieldManager=one`,
    type: applyType,
    body: gateway('gate', [listener('admin', 81)]),
    show: ['spec', 'metadata.managedFields'],
  },
  {
    name: 'Gateway: and takes it away',
    needs,
    method: 'PATCH',
    path: `${gateways}/gate?fieldManager=one`,
    type: applyType,
    body: { ...gateway('gate', []), spec: { gatewayClassName: 'any' } },
    show: ['spec'],
  },
];
