import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { root } from '../node24.mjs';

/** Makes `<out>/cli/index.js`: the command line and the root action, which load the family of the command that was asked for. */
export async function bundleRouter(out: string, families: readonly string[]): Promise<void> {
  await build({
    entryPoints: [join(root, 'packages/cli/src/index.ts')],
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    outfile: join(out, 'cli', 'index.js'),
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [familiesApart(families)],
  });
}

/** Leaves the families where they are: `./gates.js` of the sources is `../gates/index.js` in dist. */
function familiesApart(families: readonly string[]): Plugin {
  return {
    name: 'families-apart',
    setup(bundler) {
      const filter = new RegExp(`^\\./(${families.join('|')})\\.js$`);
      bundler.onResolve({ filter }, ({ path, kind }) =>
        kind === 'dynamic-import' ? { path: path.replace(filter, '../$1/index.js'), external: true } : undefined,
      );
    },
  };
}
