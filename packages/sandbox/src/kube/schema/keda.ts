import { integer, list, map, open, type Schema, text } from './schema.js';

/** ScaledObject of KEDA, as far as it is read by anyone here. */
export const scaledObject: Schema = open(
  {
    spec: open(
      {
        scaleTargetRef: open({ apiVersion: text(), kind: text(), name: text() }, { required: ['name'] }),
        minReplicaCount: integer(),
        maxReplicaCount: integer(),
        idleReplicaCount: integer(),
        pollingInterval: integer(),
        cooldownPeriod: integer(),
        triggers: list(open({ type: text(), metadata: map(text()) }, { required: ['metadata', 'type'] })),
      },
      { required: ['scaleTargetRef', 'triggers'] },
    ),
  },
  { required: ['spec'] },
);
