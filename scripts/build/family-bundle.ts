import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, resolve } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { node24, root } from '../node24.mjs';
import { licenses, packageFolder } from './licenses.js';
import { run } from './run.js';

/** The oldest Node that the bundles run on, and the edition of ECMAScript that it knows. */
const oldest = { node: 'node20', ecma: 'es2022' };

/**
 * Makes `<out>/<family>/index.js` from packages/cli/src/<family>.ts, with the licences of all that is in it.
 *
 * Two tools, each for what it does best: esbuild leaves out what nobody imports (of the Kubernetes client, some 600 generated API
 * classes), ncc makes one small file of the rest. ncc alone keeps whole packages: measured, six times the bytes.
 */
export async function bundleFamily(family: string, out: string): Promise<void> {
  const cache = join(root, 'node_modules', '.cache', 'slipway');
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, `build-${family}-`));
  try {
    writeFileSync(join(work, 'package.json'), '{"type":"module"}\n');
    const { metafile } = await build({ ...options(family), outfile: join(work, 'index.js'), metafile: true });
    const target = resolve(out, family);
    const ncc = join(root, 'node_modules/@vercel/ncc/dist/ncc/cli.js');
    await run(node24(), [ncc, 'build', 'index.js', '--out', target, '--minify', '--target', oldest.ecma, '--no-cache', '--quiet'], work);
    rmSync(join(target, 'package.json'), { force: true }); // dist/package.json says it for all
    writeFileSync(join(target, 'licenses.txt'), licenses(metafile));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Minified bytes in the family's bundle by package, ours by their folder. */
export async function bytesByPackage(family: string): Promise<Map<string, number>> {
  const { metafile } = await build({ ...options(family), outfile: 'index.js', metafile: true, write: false, minify: true });
  const bytes = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs))) {
    const name = packageFolder(path)?.replace(/^.*node_modules\//, '') ?? path.split('/').slice(0, 2).join('/');
    bytes.set(name, (bytes.get(name) ?? 0) + bytesInOutput);
  }
  return bytes;
}

function options(family: string): BuildOptions {
  return {
    entryPoints: [join(root, 'packages/cli/src', `${family}.ts`)],
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: oldest.node,
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [builtinsByProcess, unusedModulesOfKubernetes],
  };
}

/** Lets CommonJS packages reach Node's own modules from an ES module, where there is no `require`. */
const builtinsByProcess: Plugin = {
  name: 'builtins-by-process',
  setup(bundler) {
    bundler.onResolve({ filter: /.*/ }, ({ path, kind }) =>
      kind === 'require-call' && isBuiltin(path) ? { path: path.replace(/^node:/, ''), namespace: 'builtin' } : undefined,
    );
    // node-fetch wants it only where Node has no URL of its own; it is a third of the bytes and warns of its age at every start.
    bundler.onResolve({ filter: /^whatwg-url$/ }, () => ({ path: 'url', namespace: 'builtin' }));
    bundler.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('node:${path}');`,
    }));
  },
};

/**
 * Says of the Kubernetes client's modules what its package.json does not: importing them does nothing but define. So the generated
 * models that nobody uses are left out too.
 */
const unusedModulesOfKubernetes: Plugin = {
  name: 'unused-modules-of-kubernetes',
  setup(bundler) {
    const within = /@kubernetes\/client-node/;
    bundler.onResolve({ filter: /^[.@]/ }, async ({ path, importer, kind, resolveDir, pluginData }) => {
      if (pluginData === within || !(within.test(path) || within.test(importer))) return undefined;
      return { ...(await bundler.resolve(path, { importer, kind, resolveDir, pluginData: within })), sideEffects: false };
    });
  },
};
