import { suggestion } from '../did-you-mean.js';
import { UsageError } from '../errors.js';
import { quoteValue } from '../problems.js';
import type { Config, EnvironmentConfig, ServiceConfig } from './config.js';

/** The service called `name`; without a name, the only one. Throws UsageError naming the input `service`. */
export function chooseService(config: Config, name: string | undefined): { name: string; service: ServiceConfig } {
  const chosen = choose('service', config.services, name);
  return { name: chosen.name, service: chosen.value };
}

/** The environment called `name`; without a name, the only one. Throws UsageError naming the input `environment`. */
export function chooseEnvironment(config: Config, name: string | undefined): { name: string; environment: EnvironmentConfig } {
  const chosen = choose('environment', config.environments, name);
  return { name: chosen.name, environment: chosen.value };
}

function choose<T>(input: string, entries: Readonly<Record<string, T>>, name: string | undefined): { name: string; value: T } {
  const names = Object.keys(entries);
  const wanted = name ?? (names.length === 1 ? names[0] : undefined);
  if (wanted !== undefined && Object.hasOwn(entries, wanted)) return { name: wanted, value: entries[wanted] as T };
  const message =
    wanted === undefined
      ? `is required, because slipway.yml has ${names.length} ${input}s`
      : `${quoteValue(wanted)} is not in slipway.yml${suggestion(wanted, names)}`;
  throw new UsageError([{ where: input, message, allowed: names.join(', '), example: names[0] ?? input }]);
}
