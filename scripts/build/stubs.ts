import type { Contract } from '@slipway/core';

/** The files that action.yml and package.json point to: path in dist → text. Each is a line or two that calls into a bundle. */
export function stubs(contracts: readonly Contract[], version: string): Map<string, string> {
  const files = new Map<string, string>([
    ['package.json', '{"type":"module"}\n'],
    ['cli/main.js', commandLine(version)],
    ['slipway/main.js', rootAction('rootMain')],
    ['slipway/post.js', rootAction('rootPost')],
  ]);
  for (const { name, family, post } of contracts) {
    files.set(`${name}/main.js`, action(family, 'main', name));
    if (post) files.set(`${name}/post.js`, action(family, 'post', name));
  }
  return files;
}

function action(family: string, part: 'main' | 'post', name: string): string {
  return `import { ${part} } from '../${family}/index.js';\nawait ${part}('${name}');\n`;
}

function rootAction(part: 'rootMain' | 'rootPost'): string {
  return `import { ${part} } from '../cli/index.js';\nawait ${part}();\n`;
}

function commandLine(version: string): string {
  return [
    '#!/usr/bin/env node',
    "import { runCommandLine } from './index.js';",
    `const code = await runCommandLine(process.argv.slice(2), { version: '${version}' });`,
    'if (code !== undefined) process.exitCode = code;',
    '',
  ].join('\n');
}
