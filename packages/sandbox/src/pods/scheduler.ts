import type { EventRecorder } from '../controllers/events.js';
import { conditionOf } from '../controllers/pod-state.js';
import { parseQuantity, podTotal } from '../controllers/quantity.js';
import { type KubeObject, sameJson, timestamp } from '../kube/object.js';
import type { Store } from '../kube/store.js';

export interface NodeOptions {
  /** How many nodes there are. */
  count: number;
  /** Cores that the pods of one node may ask for, as a quantity (`2`, `1500m`); undefined: any number. */
  cpu?: string;
}

/** Gives each pod a node that has what it asks for. A pod that fits nowhere stays Pending until there is room. */
export class Scheduler {
  private readonly names: string[];
  private readonly cores: number;
  private turn = 0;

  constructor(
    private readonly store: Store,
    private readonly events: EventRecorder,
    { count, cpu }: NodeOptions,
  ) {
    this.names = Array.from({ length: count }, (_, i) => `node-${i}`);
    this.cores = cpu === undefined ? Number.POSITIVE_INFINITY : (parseQuantity(cpu) ?? Number.NaN);
    if (Number.isNaN(this.cores)) throw new Error(`nodes.cpu "${cpu}" is no quantity; write 2 or 1500m`);
  }

  /** Binds the pod and answers it; says in its status why not when no node has room. */
  bind(pod: KubeObject, now: number): KubeObject | undefined {
    const node = this.placeFor(pod);
    if (!node) {
      this.refuse(pod, now);
      return undefined;
    }
    const { namespace, name } = pod.metadata;
    this.events.normal(pod, 'default-scheduler', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${node}`);
    return this.store.modify('Pod', pod, ({ spec }) => Object.assign(spec, { nodeName: node }));
  }

  /** The nodes take turns; the first with room has the pod. */
  private placeFor(pod: KubeObject): string | undefined {
    const wanted = podTotal(pod, 'cpu');
    this.turn += 1;
    const inTurn = this.names.map((_, i) => this.names[(this.turn + i) % this.names.length] as string);
    if (this.cores === Number.POSITIVE_INFINITY) return inTurn[0];
    const used = this.used();
    // Sums of decimal fractions of a core are not exact.
    return inTurn.find((name) => (used.get(name) ?? 0) + wanted <= this.cores + 1e-9);
  }

  private used(): Map<string, number> {
    const used = new Map<string, number>();
    for (const pod of this.store.list('Pod')) {
      const node = pod.spec.nodeName;
      if (node && !['Succeeded', 'Failed'].includes(pod.status?.phase)) used.set(node, (used.get(node) ?? 0) + podTotal(pod, 'cpu'));
    }
    return used;
  }

  private refuse(pod: KubeObject, now: number): void {
    const nodes = this.names.length;
    const message =
      `0/${nodes} nodes are available: ${nodes} Insufficient cpu. ` +
      `preemption: 0/${nodes} nodes are available: ${nodes} No preemption victims found for incoming pod.`;
    const old = conditionOf(pod, 'PodScheduled');
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastProbeTime: null,
      lastTransitionTime: old?.status === 'False' ? old.lastTransitionTime : timestamp(now),
    };
    const status = { phase: 'Pending', conditions: [condition], qosClass: pod.status?.qosClass ?? 'BestEffort' };
    if (sameJson(status, pod.status)) return;
    this.events.warning(pod, 'default-scheduler', 'FailedScheduling', message);
    this.store.modify('Pod', pod, (draft) => Object.assign(draft, { status }));
  }
}
