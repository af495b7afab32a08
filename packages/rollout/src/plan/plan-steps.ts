import { type Routing, routingWords, type TrafficRouter } from '@slipway/cluster';
import { formatDuration } from '@slipway/core';
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

/** The service as it is now. */
export interface PlannedFrom {
  /** Pods that it runs without a rollout. */
  replicas: number;
  /** Stable's pods have their track label. */
  tracked: boolean;
  /** The autoscaler whose lower limit will be raised, `HorizontalPodAutoscaler shop`. */
  floorOf?: string | undefined;
}

type Router = Pick<TrafficRouter, 'kind' | 'capacity' | 'prepare'>;

/** What each step will do. Pure but for the router's rule of capacity. */
export function planSteps(target: RolloutTarget, router: Router, from: PlannedFrom, state: RolloutState | undefined): PlannedStep[] {
  const pods = target.steps.map((step) => podsOf(step.replicas, routingOf(step), router, from.replicas));
  return target.steps.map((step, index) => {
    const routing = routingOf(step);
    const { stable, canary } = pods[index] as Pods;
    const before = index === 0 ? { stable: from.replicas, canary: 0 } : (pods[index - 1] as Pods);
    return {
      step: index + 1,
      routing,
      stable,
      canary,
      duration: step.duration,
      changes: [
        ...(index === 0 ? begin(target, router, from) : []),
        ...(canary > before.canary ? [`${scaling(index, target, canary)} and wait until all are ready`] : []),
        ...(step.gate === undefined ? [] : [`ask ${step.gate}`]),
        ...(stable === before.stable ? [] : [`scale Deployment ${target.workload} to ${stable}`]),
        `${routingWords(routing)}: ${routedBy(target)}`,
        'read it back',
        ...(measures(target, router, step.weight) ? ['count requests until they are split so'] : []),
        ...(step.pause ? ['pause until `resume`'] : []),
      ],
      state: stateOf(index, state),
    };
  });
}

interface Pods {
  stable: number;
  canary: number;
}

function podsOf(share: number | undefined, routing: Routing, router: Router, replicas: number): Pods {
  const { stable, canary } = router.capacity(routing, replicas);
  if (router.kind === 'replicas') return { stable, canary };
  return { stable: replicas, canary: Math.max(1, canary, share === undefined ? 0 : Math.ceil(share * replicas)) };
}

function begin({ workload }: RolloutTarget, router: Router, { tracked, floorOf, replicas }: PlannedFrom): string[] {
  return [
    ...(tracked ? [] : [`label the pods of Deployment ${workload} \`track: stable\`, which replaces them once`]),
    'take a snapshot',
    ...(floorOf === undefined ? [] : [`keep ${floorOf} from going below ${replicas}`]),
    ...(router.prepare === undefined ? [] : ['make the Service of the canary’s pods']),
  ];
}

function scaling(index: number, { canary }: RolloutTarget, pods: number): string {
  return index === 0 ? `create Deployment ${canary} with ${pods} pod${pods === 1 ? '' : 's'}` : `scale Deployment ${canary} to ${pods}`;
}

function measures({ splitCheck }: RolloutTarget, { kind }: Router, weight: number): boolean {
  return splitCheck === 'measured' && kind !== 'replicas' && weight > 0;
}

/** What the router writes. */
function routedBy({ traffic, kubeService }: RolloutTarget): string {
  switch (traffic.router) {
    case 'replicas':
      return `by the number of pods behind Service ${kubeService}`;
    case 'istio':
      return `by VirtualService ${traffic.virtualServices.join(', ')}`;
    case 'gateway-api':
      return `by HTTPRoute ${traffic.httpRoute}`;
    case 'nginx':
      return `by Ingress ${traffic.ingress}-canary`;
    case 'service':
      return `by the selector of Service ${kubeService}`;
  }
}

function stateOf(index: number, state: RolloutState | undefined): PlannedStep['state'] {
  if (!state || index > state.step) return 'to come';
  return index < state.step ? 'done' : 'in force';
}

/** What follows the last step. */
export function planEnd(target: RolloutTarget, router: Pick<Router, 'prepare'>, { floorOf }: Pick<PlannedFrom, 'floorOf'>): string[] {
  const { workload, canary, scaleDownDelay } = target;
  if (target.strategy === 'rolling')
    return [
      'take a snapshot',
      `give Deployment ${workload} the new image, which its own strategy rolls out`,
      'wait until nothing older serves; else undo it',
    ];
  return [
    `give Deployment ${workload} the new image and wait until nothing older serves`,
    'route everybody to it',
    `wait until the canary has finished its requests${scaleDownDelay > 0 ? `, ${formatDuration(scaleDownDelay)} at least` : ''}`,
    `delete Deployment ${canary}`,
    ...(router.prepare === undefined ? [] : ['put away what was made for it']),
    ...(floorOf === undefined ? [] : [`give ${floorOf} its own lower limit back`]),
  ];
}
