import { integer, type Schema, struct, text } from './schema.js';

/** Names as gateway-api and those who follow it write them. */
export const dnsName = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';
export const groupName = `^$|${dnsName}`;
export const kindName = '^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$';
export const labelName = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';

export const port = (): Schema => integer({ minimum: 1, maximum: 65535 });
export const objectName = (): Schema => text({ minLength: 1, maxLength: 253 });
export const namespaceName = (): Schema => text({ pattern: labelName, minLength: 1, maxLength: 63 });
export const sectionName = (): Schema => text({ pattern: dnsName, minLength: 1, maxLength: 253 });
export const groupField = (byDefault?: string): Schema =>
  text({ pattern: groupName, maxLength: 253, ...(byDefault === undefined ? {} : { default: byDefault }) });
export const kindField = (byDefault?: string): Schema =>
  text({ pattern: kindName, minLength: 1, maxLength: 63, ...(byDefault === undefined ? {} : { default: byDefault }) });

/** A Gateway, or (GAMMA) a Service, that a route attaches to. */
export const parentRef = (): Schema =>
  struct(
    {
      group: groupField('gateway.networking.k8s.io'),
      kind: kindField('Gateway'),
      name: objectName(),
      namespace: namespaceName(),
      port: port(),
      sectionName: sectionName(),
    },
    { required: ['name'] },
  );

const needsPort = {
  message: 'Must have port for Service reference',
  holds: ({ group, kind, port: number }: { group: string; kind: string; port?: number }) =>
    group !== '' || kind !== 'Service' || number !== undefined,
};

/** Where requests go. `more` are fields beside the reference itself. */
export const backendRef = (more: Record<string, Schema> = {}): Schema =>
  struct(
    { group: groupField(''), kind: kindField('Service'), name: objectName(), namespace: namespaceName(), port: port(), ...more },
    { required: ['name'], rules: [needsPort] },
  );
