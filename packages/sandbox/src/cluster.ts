import { randomUUID } from 'node:crypto';
import { parseAllDocuments } from 'yaml';
import { RolloutController } from './controllers/argo/rollout-controller.js';
import { DeploymentController } from './controllers/deployment-controller.js';
import { DisruptionController } from './controllers/disruption-controller.js';
import { EndpointSliceController } from './controllers/endpoint-slice-controller.js';
import { EventRecorder } from './controllers/events.js';
import { FlaggerController } from './controllers/flagger/flagger-controller.js';
import { GarbageCollector } from './controllers/garbage-collector.js';
import { HpaController } from './controllers/hpa-controller.js';
import { ReplicaSetController } from './controllers/replica-set-controller.js';
import { ResourceQuotaController } from './controllers/resource-quota.js';
import { ScaledObjectController } from './controllers/scaled-object-controller.js';
import { ApiServer, type ApiWrite } from './kube/api-server.js';
import type { User } from './kube/authorizer.js';
import { kindNamed } from './kube/kinds.js';
import type { KubeObject } from './kube/object.js';
import { ResourceHandler } from './kube/resource-handler.js';
import { Store } from './kube/store.js';
import { Kubelet } from './pods/kubelet.js';
import { type NodeOptions, Scheduler } from './pods/scheduler.js';
import { SeededRandom } from './seeded-random.js';
import type { LoopbackServer } from './server/loopback-server.js';
import { DataPlane } from './traffic/data-plane.js';
import { GroundTruth } from './traffic/ground-truth.js';

export interface ClusterOptions {
  seed: number;
  /** From a pod's creation to its being Ready, milliseconds. */
  readyDelay: number;
  /** How long a deleted pod goes on serving, milliseconds. */
  stopDelay: number;
  /** Between a change of a route object and its effect, milliseconds. */
  applyDelay: number;
  /** How late clients learn that a pod has come or gone, milliseconds. */
  endpointDelay: number;
  /** Milliseconds between two steps of pods and traffic, at most 100. */
  tick: number;
  /** What pods can be placed on. Default: three nodes, each with room for all. */
  nodes: NodeOptions;
  /** Milliseconds between two looks of an autoscaler. */
  hpaInterval: number;
  /** Milliseconds that a lower recommendation must hold where an autoscaler's object does not say. */
  hpaDownscaleWindow: number;
}

/** API server, controllers, pods and their clients: everything but the HTTP addresses of metrics and GitHub. */
export class Cluster {
  readonly store: Store;
  readonly kubelet: Kubelet;
  readonly truth = new GroundTruth();
  readonly dataPlane: DataPlane;
  private readonly flagger: FlaggerController;
  readonly users = new Map<string, User>();
  readonly writes: ApiWrite[] = [];
  private readonly handler: ResourceHandler;
  private readonly parts: { stop(): void }[];
  private readonly listeners = new Set<(write: ApiWrite) => void>();
  private readonly timer: NodeJS.Timeout;
  private readonly tickListeners = new Set<(now: number) => void>();

  constructor(private readonly options: ClusterOptions) {
    const now = () => Date.now();
    const names = new SeededRandom(options.seed, 'names');
    this.store = new Store(now);
    const events = new EventRecorder(this.store, names, now);
    this.handler = new ResourceHandler(this.store, names, now);
    this.kubelet = new Kubelet(this.store, events, new Scheduler(this.store, events, options.nodes), options, now);
    this.dataPlane = new DataPlane(this.store, this.kubelet, this.truth, new SeededRandom(options.seed, 'traffic'), options, now);
    this.flagger = new FlaggerController(this.store, events, this.truth, now);
    this.parts = [
      new DeploymentController(this.store, events, now),
      new ReplicaSetController(this.store, events, names, now),
      new RolloutController(this.store, events, now),
      new GarbageCollector(this.store, now),
      new HpaController(this.store, events, (pod) => this.kubelet.cpuUse(pod), options, now),
      new ScaledObjectController(this.store, now),
      new EndpointSliceController(this.store, new SeededRandom(options.seed, 'endpoints')),
      new DisruptionController(this.store, now),
      new ResourceQuotaController(this.store),
      this.kubelet,
      this.dataPlane,
    ];
    for (const name of ['default', 'kube-system']) this.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    this.timer = setInterval(() => this.tick(), Math.min(options.tick, 100));
  }

  listen(port = 0): Promise<LoopbackServer> {
    const onWrite = (write: ApiWrite) => {
      this.writes.push(write);
      for (const listener of this.listeners) listener(write);
    };
    return new ApiServer({ store: this.store, handler: this.handler, pods: this.kubelet, users: this.users, onWrite }).listen(port);
  }

  /** Every write that comes in over HTTP, done or refused. */
  onWrite(listener: (write: ApiWrite) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  onTick(listener: (now: number) => void): void {
    this.tickListeners.add(listener);
  }

  /** The user of that name; makes one with a fresh token when there is none. `rules` replace earlier ones. */
  user(name: string, rights: Pick<User, 'admin' | 'rules' | 'namespaces'> = {}): User {
    const known = [...this.users.values()].find((user) => user.name === name);
    const user: User = { ...(known ?? { name, token: `sandbox-${randomUUID()}` }), ...rights };
    this.users.set(user.token, user);
    return user;
  }

  get(kind: string, namespace: string, name: string): KubeObject {
    return this.store.get(kind, namespace, name);
  }

  find(kind: string, namespace: string, name: string): KubeObject | undefined {
    return this.store.find(kind, namespace, name);
  }

  list(kind: string, namespace = ''): KubeObject[] {
    return this.store.list(kind, namespace);
  }

  /** Creates objects or changes existing ones to match (as `kubectl apply --server-side --force-conflicts`). YAML, with several documents, or one object. */
  apply(manifest: string | object): KubeObject[] {
    const objects = typeof manifest === 'string' ? parseAllDocuments(manifest).map((document) => document.toJS()) : [manifest];
    return objects.filter(Boolean).map((object) => this.applyOne(object as KubeObject));
  }

  remove(kind: string, namespace: string, name: string): void {
    this.handler.remove(kindNamed(kind), namespace, name, { dryRun: false });
  }

  /** Resolves when every change made so far has reached the data plane. */
  async settled(): Promise<void> {
    const { applyDelay, endpointDelay, tick } = this.options;
    await new Promise((resolve) => setTimeout(resolve, Math.max(applyDelay, endpointDelay) + 2 * tick));
  }

  stop(): void {
    clearInterval(this.timer);
    for (const part of this.parts) part.stop();
  }

  private applyOne(object: KubeObject): KubeObject {
    const kind = kindNamed(object.kind);
    const namespace = kind.namespaced ? (object.metadata.namespace ?? 'default') : '';
    const options = { manager: 'sandbox', subresource: '', dryRun: false };
    const body = { ...object, metadata: { ...object.metadata, ...(namespace ? { namespace } : {}) } };
    return this.handler.patch(kind, namespace, object.metadata.name, { type: 'apply', body, force: true }, options);
  }

  private tick(): void {
    this.kubelet.tick();
    this.dataPlane.tick();
    this.flagger.tick();
    for (const listener of this.tickListeners) listener(Date.now());
  }
}
