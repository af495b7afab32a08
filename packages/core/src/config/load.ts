import { type Problem, UsageError } from '../errors.js';
import type { Config } from './config.js';
import { parseConfig } from './parse.js';
import type { Path } from './positions.js';
import { readConfigText } from './read-file.js';

export interface LoadedConfig {
  config: Config;
  /** Makes a problem of what is found later to be wrong with a value: names file, line and column. */
  problemAt(path: Path, problem: Omit<Problem, 'file' | 'line' | 'column'>): Problem;
}

/** Loads slipway.yml; `path` is relative to `cwd`. Throws UsageError with every problem, each with line and column. */
export async function loadConfig(path: string, cwd: string): Promise<Config> {
  return (await loadConfigFile(path, cwd)).config;
}

/** As loadConfig, and keeps where each value is written. */
export async function loadConfigFile(path: string, cwd: string): Promise<LoadedConfig> {
  const parsed = parseConfig(await readConfigText(path, cwd));
  if ('problems' in parsed) throw new UsageError(parsed.problems.map((problem) => ({ ...problem, file: path })));
  const { config, positions } = parsed;
  return { config, problemAt: (at, problem) => ({ ...problem, file: path, ...positions.value(at) }) };
}
