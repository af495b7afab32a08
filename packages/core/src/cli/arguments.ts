import { parseArgs } from 'node:util';
import type { Contract, InputSpec } from '../contract.js';
import { suggestion } from '../did-you-mean.js';
import { type Problem, UsageError } from '../errors.js';
import { allowedBy, type RawInputs } from '../inputs.js';

export interface CommandArguments {
  raw: RawInputs;
  /** Print the result as JSON on stdout. */
  json: boolean;
  help: boolean;
}

const flags = { json: 'boolean', help: 'boolean' } as const;

/**
 * Reads `--name value`, `--name=value`, `--flag`, `--no-flag` and the contract's positionals. An option of kind `list` may be repeated.
 * Throws one UsageError with all problems; wrong values are left to parseInputs.
 */
export function parseArguments(contract: Contract, argv: readonly string[]): CommandArguments {
  const reader = new Reader(contract);
  for (const token of tokensOf(contract, argv)) {
    const given = argv[token.index] ?? '';
    // parseArgs makes an option of every letter of `-v1.4.0`.
    if (token.kind === 'option' && /^-[^-]./.test(given)) reader.shortGroup(given);
    else if (token.kind === 'positional') reader.positional(token.value, token.index);
    else if (token.kind === 'option') reader.option(token.name, token.rawName, token.value, token.inlineValue ?? false, token.index);
  }
  return reader.result();
}

function tokensOf(contract: Contract, argv: readonly string[]) {
  const inputs = Object.entries(contract.inputs).map(
    ([name, { kind }]) => [name, { type: kind === 'boolean' ? 'boolean' : 'string' }] as const,
  );
  const options = { ...Object.fromEntries(inputs), json: { type: flags.json }, help: { type: flags.help, short: 'h' } } as const;
  // Not strict: parseArgs would stop at the first problem, and knows no list of all.
  return parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

class Reader {
  private readonly values = new Map<string, string>();
  private readonly problems: Problem[] = [];
  private readonly flags = new Set<keyof typeof flags>();
  private readonly positionals: string[];
  /** Index of the last option that is not known and has no value of its own. */
  private unknownAt = Number.NaN;

  constructor(private readonly contract: Contract) {
    this.positionals = [...(contract.cli?.positionals ?? [])];
  }

  positional(value: string, index: number): void {
    // Most likely the value of the option that was misspelt.
    if (index === this.unknownAt + 1) return;
    const name = this.positionals.shift();
    const spec = name === undefined ? undefined : this.contract.inputs[name];
    if (name === undefined || !spec) {
      this.problems.push({ where: value, message: 'is one argument too many', allowed: usageLine(this.contract) });
      return;
    }
    // A list by position takes all that follows.
    if (spec.kind === 'list') this.positionals.unshift(name);
    this.set(name, spec, value);
  }

  shortGroup(given: string): void {
    if (this.problems.some(({ where }) => where === given)) return;
    this.problems.push({
      where: given,
      message: 'is no option; a value that begins with "-" follows "--"',
      allowed: usageLine(this.contract),
    });
  }

  option(name: string, rawName: string, value: string | undefined, inline: boolean, index: number): void {
    if (isFlag(name) && !(name in this.contract.inputs)) {
      this.flags.add(name);
      return;
    }
    const spec = this.contract.inputs[name];
    const negated = name.startsWith('no-') ? name.slice(3) : undefined;
    if (spec) this.given(name, spec, value, inline);
    else if (negated !== undefined && this.contract.inputs[negated]?.kind === 'boolean') this.values.set(negated, 'false');
    else {
      this.unknown(name, rawName);
      if (!inline) this.unknownAt = index;
    }
  }

  result(): CommandArguments {
    const help = this.flags.has('help');
    if (this.problems.length > 0 && !help) throw new UsageError(this.problems);
    return { raw: Object.fromEntries(this.values), json: this.flags.has('json'), help };
  }

  private given(name: string, spec: InputSpec, value: string | undefined, inline: boolean): void {
    const looksLikeOption = !inline && value !== undefined && /^-./.test(value);
    if (spec.kind === 'boolean') this.set(name, spec, value ?? 'true');
    else if (value === undefined || looksLikeOption) {
      const hint = looksLikeOption ? `; a value that begins with "-" is written --${name}=${value}` : '';
      this.problems.push({ where: `--${name}`, message: `needs a value${hint}`, example: spec.example, ...allowedBy(spec) });
    } else this.set(name, spec, value);
  }

  private set(name: string, spec: InputSpec, value: string): void {
    const before = this.values.get(name);
    if (before !== undefined && spec.kind !== 'list') {
      this.problems.push({ where: `--${name}`, message: 'is given more than once' });
    }
    this.values.set(name, before !== undefined && spec.kind === 'list' ? `${before}\n${value}` : value);
  }

  private unknown(name: string, rawName: string): void {
    const known = [...Object.keys(this.contract.inputs), ...Object.keys(flags)].map((option) => `--${option}`);
    const hint = suggestion(`--${name}`, known) || `; slipway ${this.contract.name} --help lists the options`;
    this.problems.push({ where: rawName, message: `is not an option of ${this.contract.name}${hint}` });
  }
}

function isFlag(name: string): name is keyof typeof flags {
  return Object.hasOwn(flags, name);
}

/** `slipway canary-deploy COMMAND [OPTIONS]`. */
export function usageLine(contract: Contract): string {
  return ['slipway', contract.name, ...positionalForms(contract), '[OPTIONS]'].join(' ');
}

/** `VERSION`, or `[FILE …]` for what may be left out and repeated. */
export function positionalForms({ cli, inputs }: Contract): string[] {
  return (cli?.positionals ?? []).map((name) => {
    const spec = inputs[name];
    const label = `${name.toUpperCase()}${spec?.kind === 'list' ? ' …' : ''}`;
    return spec?.required ? label : `[${label}]`;
  });
}
