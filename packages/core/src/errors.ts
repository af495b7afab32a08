/** One thing wrong with what the user gave: an input, an option or a line of slipway.yml. */
export interface Problem {
  /** What is wrong, with the value that was given. */
  message: string;
  /** Input name, or a path such as `services.shop.steps[0].weight`. */
  where: string;
  file?: string;
  /** 1-based. */
  line?: number;
  column?: number;
  /** What would be accepted, e.g. `a whole number from 1 to 100`. */
  allowed?: string;
  example?: string;
}

/** The user's to fix: an input, an option, slipway.yml. Carries every problem found, not just the first. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  constructor(
    readonly problems: readonly Problem[],
    options?: { cause?: unknown },
  ) {
    super(problems.map(({ where, message }) => (where === '' ? message : `${where}: ${message}`)).join('; '), options);
  }
}

/** The world refused: a missing permission, an object that is not there, a server that does not answer. */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  /** One of the reasons of the running action's contract, e.g. `FORBIDDEN`. */
  readonly reason: string;
  readonly next: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
  constructor(message: string, options: { reason: string; next?: readonly string[]; details?: Record<string, unknown>; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = options.reason;
    this.next = options.next ?? [];
    this.details = options.details ?? {};
  }
}
