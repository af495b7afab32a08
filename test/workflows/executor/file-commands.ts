import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a step said through the files that the runner gives it. */
export interface FileCommands {
  outputs: Record<string, string>;
  env: Record<string, string>;
  state: Record<string, string>;
  paths: string[];
  summary: string;
}

const files = { GITHUB_OUTPUT: 'output', GITHUB_ENV: 'env', GITHUB_STATE: 'state', GITHUB_PATH: 'path', GITHUB_STEP_SUMMARY: 'summary' };

/** Makes the empty command files of one step in `directory`; `env` names them, `read` parses them when the step is done. */
export function createFileCommands(directory: string): { env: Record<string, string>; read(): FileCommands } {
  mkdirSync(directory, { recursive: true });
  const env = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, join(directory, file)]));
  for (const file of Object.values(env)) writeFileSync(file, '');
  const content = (name: keyof typeof files) => readFileSync(join(directory, files[name]), 'utf8');
  return {
    env,
    read: () => ({
      outputs: parsePairs(content('GITHUB_OUTPUT'), 'GITHUB_OUTPUT'),
      env: parsePairs(content('GITHUB_ENV'), 'GITHUB_ENV'),
      state: parsePairs(content('GITHUB_STATE'), 'GITHUB_STATE'),
      paths: content('GITHUB_PATH')
        .split(/\r?\n/)
        .filter((line) => line !== ''),
      summary: content('GITHUB_STEP_SUMMARY'),
    }),
  };
}

/**
 * Parses `name=value` lines and `name<<DELIMITER` blocks. Throws, as the runner does, on any other line and on a block that does not end.
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#multiline-strings
 */
export function parsePairs(content: string, file: string): Record<string, string> {
  const result: Record<string, string> = {};
  const lines = content.split(/\r?\n/);
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    if (line === '') continue;
    const heredoc = /^([^=]*?)<<(.+)$/.exec(line);
    const equals = line.indexOf('=');
    if (heredoc !== null) {
      const [, name = '', delimiter = ''] = heredoc;
      const end = lines.indexOf(delimiter, index + 1);
      if (end === -1) throw new Error(`Invalid value in ${file}: no line '${delimiter}' ends the value of '${name}'`);
      result[name] = lines.slice(index + 1, end).join('\n');
      index = end;
    } else if (equals > 0) {
      result[line.slice(0, equals)] = line.slice(equals + 1);
    } else {
      throw new Error(`Invalid format in ${file}: '${line}'`);
    }
  }
  return result;
}
