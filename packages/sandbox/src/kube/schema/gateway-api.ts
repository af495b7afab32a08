import { filters, headerName, methods } from './http-route-filters.js';
import { backendRef, dnsName, objectName, parentRef, port, sectionName } from './references.js';
import { integer, list, map, oneOf, open, type Rule, type Schema, struct, text } from './schema.js';

const wildcardName = dnsName.replace('^', '^(\\*\\.)?');
const duration = text({ pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$' });

const isPlain = (type: string) => type === 'Exact' || type === 'PathPrefix';
type Path = { type: string; value: string };
const forbiddenInPath = (part: string): Rule => ({
  message: `must not contain '${part}' when type one of ['Exact', 'PathPrefix']`,
  holds: ({ type, value }: Path) => !isPlain(type) || !value.includes(part),
});
const path = struct(
  {
    type: oneOf(['Exact', 'PathPrefix', 'RegularExpression'], { default: 'PathPrefix' }),
    value: text({ maxLength: 1024, default: '/' }),
  },
  {
    default: { type: 'PathPrefix', value: '/' },
    rules: [
      {
        message: "value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']",
        holds: ({ type, value }: Path) => !isPlain(type) || value.startsWith('/'),
      },
      ...['//', '/./', '/../', '%2f', '%2F', '#'].map(forbiddenInPath),
    ],
  },
);

const valueMatch = (maxLength: number): Schema =>
  list(
    struct(
      {
        type: oneOf(['Exact', 'RegularExpression'], { default: 'Exact' }),
        name: text({ pattern: headerName, minLength: 1, maxLength: 256 }),
        value: text({ minLength: 1, maxLength }),
      },
      { required: ['name', 'value'] },
    ),
    { maxItems: 16, keys: ['name'] },
  );

const everything = [{ path: { type: 'PathPrefix', value: '/' } }];
const rule = struct(
  {
    name: sectionName(),
    matches: list(struct({ path, headers: valueMatch(4096), queryParams: valueMatch(1024), method: oneOf(methods) }), {
      maxItems: 64,
      default: everything,
    }),
    filters,
    backendRefs: list(backendRef({ weight: integer({ minimum: 0, maximum: 1000000, default: 1 }), filters }), { maxItems: 16 }),
    timeouts: struct({ request: duration, backendRequest: duration }),
  },
  {
    rules: [
      {
        message: 'RequestRedirect filter must not be used together with backendRefs',
        holds: ({ backendRefs = [], filters: own = [] }) =>
          backendRefs.length === 0 || !own.some((filter: { requestRedirect?: unknown }) => filter.requestRedirect !== undefined),
      },
    ],
  },
);

const conditions = list(
  open({ status: oneOf(['True', 'False', 'Unknown']) }, { required: ['lastTransitionTime', 'message', 'reason', 'status', 'type'] }),
  { minItems: 1, maxItems: 8, keys: ['type'] },
);

export const httpRoute: Schema = open(
  {
    spec: struct({
      parentRefs: list(parentRef(), { maxItems: 32 }),
      hostnames: list(text({ pattern: wildcardName, minLength: 1, maxLength: 253 }), { maxItems: 16 }),
      rules: list(rule, { minItems: 1, maxItems: 16, default: [{ matches: everything }] }),
    }),
    status: struct(
      {
        parents: list(
          struct(
            { parentRef: parentRef(), controllerName: text(), conditions },
            { required: ['conditions', 'controllerName', 'parentRef'] },
          ),
          { maxItems: 32 },
        ),
      },
      { required: ['parents'] },
    ),
  },
  { required: ['spec'] },
);

const listener = open(
  {
    name: sectionName(),
    hostname: text({ pattern: wildcardName, minLength: 1, maxLength: 253 }),
    port: port(),
    protocol: text({ minLength: 1, maxLength: 255 }),
    allowedRoutes: open(
      { namespaces: open({ from: oneOf(['All', 'Selector', 'Same', 'None'], { default: 'Same' }) }, { default: { from: 'Same' } }) },
      { default: { namespaces: { from: 'Same' } } },
    ),
  },
  { required: ['name', 'port', 'protocol'] },
);

type Listener = { name: string; port: number; protocol: string; hostname?: string; tls?: unknown };
const allDiffer = (listeners: Listener[], identity: (listener: Listener) => string) =>
  new Set(listeners.map(identity)).size === listeners.length;

const pending = (type: string) => ({
  type,
  status: 'Unknown',
  reason: 'Pending',
  message: 'Waiting for controller',
  lastTransitionTime: '1970-01-01T00:00:00Z',
});

export const gateway: Schema = open(
  {
    spec: open(
      {
        gatewayClassName: objectName(),
        listeners: list(listener, {
          minItems: 1,
          maxItems: 64,
          keys: ['name'],
          rules: [
            {
              message: "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']",
              holds: (all: Listener[]) =>
                all.every(({ protocol, tls }) => !(['HTTP', 'TCP', 'UDP'].includes(protocol) && tls !== undefined)),
            },
            { message: 'Listener name must be unique within the Gateway', holds: (all) => allDiffer(all, ({ name }) => name) },
            {
              message: 'Combination of port, protocol and hostname must be unique for each listener',
              holds: (all) => allDiffer(all, (one) => `${one.port}/${one.protocol}/${one.hostname ?? ''}`),
            },
          ],
        }),
        infrastructure: open({ labels: map(text()), annotations: map(text()) }),
      },
      { required: ['gatewayClassName', 'listeners'] },
    ),
    status: open(
      { conditions: list(open(), { keys: ['type'] }), listeners: list(open(), { keys: ['name'] }) },
      { default: { conditions: [pending('Accepted'), pending('Programmed')] } },
    ),
  },
  { required: ['spec'] },
);
