/** One command of a release, as one job of a workflow runs it. */
export interface Command {
  entry: 'canary-deploy' | 'canary-analyze' | 'auto-rollback';
  inputs: Record<string, string>;
  job: string;
  /** Only brings about where the next command begins: it is disturbed in another release. */
  prelude?: true;
}

/** Commands that follow each other, and the router that they move users with. */
export interface Release {
  name: string;
  router: 'istio' | 'replicas';
  commands: readonly Command[];
}

export const image = (tag: string) => `registry.example/shop:${tag}`;
/** What the shop runs before each release. */
export const former = 'v1.3.0';
export const good = 'v1.4.0';
export const bad = 'v1.4.0-errors-60pct';

export const start = (tag: string, weight?: number): Command => ({
  entry: 'canary-deploy',
  inputs: { command: 'start', image: image(tag), ...(weight === undefined ? {} : { weight: String(weight) }) },
  job: 'first-step',
});
export const step: Command = { entry: 'canary-deploy', inputs: { command: 'step' }, job: 'second-step' };
export const promote: Command = { entry: 'canary-deploy', inputs: { command: 'promote' }, job: 'everybody' };
export const abort: Command = { entry: 'canary-deploy', inputs: { command: 'abort' }, job: 'back' };
export const analyze: Command = { entry: 'canary-analyze', inputs: {}, job: 'watch' };
export const rolling = (tag: string): Command => ({
  entry: 'canary-deploy',
  inputs: { command: 'promote', image: image(tag) },
  job: 'all-at-once',
});
export const rollBack: Command = { entry: 'auto-rollback', inputs: {}, job: 'undo' };

const prelude = (command: Command): Command => ({ ...command, prelude: true });

/** A good canary that goes all the way. */
export const goodCanary: Release = { name: 'good canary', router: 'istio', commands: [start(good), step, promote] };
/** A canary that a person calls back. */
export const abortedCanary: Release = { name: 'aborted canary', router: 'istio', commands: [prelude(start(bad)), abort] };
/** A canary that the analysis finds to be worse, and sends back itself. */
export const judgedCanary: Release = { name: 'bad canary, judged', router: 'istio', commands: [prelude(start(bad, 50)), analyze] };
/** The same without a mesh: pods are the route. */
export const goodByPods: Release = { name: 'good canary by pods', router: 'replicas', commands: [start(good), step, promote] };
export const abortedByPods: Release = {
  name: 'aborted canary by pods',
  router: 'replicas',
  commands: [prelude(start(bad)), prelude(step), abort],
};
/** All at once, and taken back. */
export const undone: Release = { name: 'rolling release, undone', router: 'istio', commands: [rolling(good), rollBack] };

export const releases: readonly Release[] = [goodCanary, abortedCanary, judgedCanary, goodByPods, abortedByPods, undone];

export function nameOf({ entry, inputs }: Command): string {
  return entry === 'canary-deploy' ? (inputs.command ?? entry) : entry;
}
