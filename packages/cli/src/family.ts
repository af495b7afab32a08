import { type Action, runCli, runMain, runPost } from '@slipway/core';

/** The actions of one bundle. Those that share their dependencies share a bundle, so each comes with what it needs and little more. */
export interface Family {
  /** Runs the action as a step of a job. */
  main(name: string): Promise<void>;
  /** Runs the action's part after the job's last step. */
  post(name: string): Promise<void>;
  /** Runs the action as a command of the shell, with the arguments after its name. */
  cli(name: string, argv: readonly string[]): Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: each action has its own contract; runMain parses the inputs by that very contract
export type AnyAction = Action<any>;

export function family(actions: Readonly<Record<string, AnyAction>>): Family {
  const named = (name: string) => {
    const action = actions[name];
    if (!action) throw new Error(`this bundle has no action ${name}, only ${Object.keys(actions).join(', ')}`);
    return action;
  };
  return {
    main: (name) => runMain(named(name)),
    post: (name) => runPost(named(name)),
    cli: (name, argv) => runCli(named(name), argv),
  };
}
