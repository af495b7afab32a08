import { randomUUID } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const { INPUT_CONTENT: content = '', RUNNER_TEMP = '', GITHUB_OUTPUT = '', GITHUB_STATE = '' } = process.env;

if (content.trim() === '') {
  console.log("No kubeconfig was given: the runner's own is used.");
} else {
  const path = join(RUNNER_TEMP, `kubeconfig-${randomUUID()}`);
  appendFileSync(GITHUB_STATE, `path=${path}\n`);
  writeFileSync(path, content.endsWith('\n') ? content : `${content}\n`, { mode: 0o600, flag: 'wx' });
  appendFileSync(GITHUB_OUTPUT, `path=${path}\n`);
}
