import { type Routing, routingWords, type TrafficRouter } from '@slipway/cluster';
import type { RolloutState } from '../state.js';
import { type RolloutTarget, routingOf } from '../target.js';

/** One step as it will be. */
export interface PlannedStep {
  step: number;
  routing: Routing;
  stable: number;
  canary: number;
  /** Milliseconds that it is watched. */
  duration: number;
  /** What is done, in words and in order. */
  changes: string[];
  state: 'done' | 'in force' | 'to come';
}

/** What each step will do, for a service that runs `replicas` pods. Pure but for the router's rule of capacity. */
export function planSteps(
  target: RolloutTarget,
  router: Pick<TrafficRouter, 'kind' | 'capacity'>,
  replicas: number,
  state: RolloutState | undefined,
): PlannedStep[] {
  return target.steps.map((step, index) => {
    const routing = routingOf(step);
    const { stable, canary } = router.capacity(routing, replicas);
    const forced = step.replicas === undefined ? 0 : Math.ceil(step.replicas * replicas);
    const pods = router.kind === 'replicas' ? canary : Math.max(1, canary, forced);
    return {
      step: index + 1,
      routing,
      stable: router.kind === 'replicas' ? stable : replicas,
      canary: pods,
      duration: step.duration,
      changes: [
        ...(index === 0 ? ['take a snapshot', `create Deployment ${target.canary}`] : []),
        `scale it to ${pods} and wait until all are ready`,
        ...(step.gate === undefined ? [] : [`ask ${step.gate}`]),
        `route ${routingWords(routing)} to it`,
        'read the route back',
        ...(target.splitCheck === 'measured' && router.kind !== 'replicas' && step.weight > 0 ? ['count requests until they are split so'] : []),
        ...(step.pause ? ['pause until `resume`'] : []),
      ],
      state: stateOf(index, state),
    };
  });
}

function stateOf(index: number, state: RolloutState | undefined): PlannedStep['state'] {
  if (!state || index > state.step) return 'to come';
  return index < state.step ? 'done' : 'in force';
}

/** What follows the last step. */
export function planEnd(target: RolloutTarget): string[] {
  const { workload, canary } = target;
  if (target.strategy === 'rolling')
    return [
      'take a snapshot',
      `give Deployment ${workload} the new image, which its own strategy rolls out`,
      'wait until nothing older serves; else undo it',
    ];
  return [
    `give Deployment ${workload} the new image and wait until nothing older serves`,
    'route everybody to it',
    'wait until the canary has finished its requests',
    `delete Deployment ${canary}`,
  ];
}
