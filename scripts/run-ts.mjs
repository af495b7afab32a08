/**
 * Runs a TypeScript file of this repository under Node 24: `node scripts/run-ts.mjs FILE [ARGS]`.
 * The file and all it imports are bundled into node_modules/.cache/slipway; the exit code and signals are the child's.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { node24, root } from './node24.mjs';

const cache = join(root, 'node_modules', '.cache', 'slipway');
const day = 24 * 3600 * 1000;

/** Keeps `import.meta` true to the source file: the bundle lies elsewhere. */
const importMeta = {
  name: 'import-meta',
  setup(bundler) {
    bundler.onLoad({ filter: /\.(ts|mjs)$/ }, ({ path }) => {
      if (path.startsWith(join(root, 'node_modules'))) return undefined;
      const source = readFileSync(path, 'utf8');
      const contents = source
        .replaceAll(/\bimport\.meta\.url\b/g, JSON.stringify(pathToFileURL(path).href))
        .replaceAll(/\bimport\.meta\.dirname\b/g, JSON.stringify(dirname(path)))
        .replaceAll(/\bimport\.meta\.filename\b/g, JSON.stringify(path));
      return { contents, loader: path.endsWith('.ts') ? 'ts' : 'js' };
    });
  },
};

/** Bundles `entry` and returns the path of the bundle, named by its content so that parallel runs do not meet. */
async function bundle(entry) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    packages: 'bundle',
    // Starts a binary that it looks for beside its own files.
    external: ['esbuild'],
    sourcemap: 'inline',
    sourcesContent: false,
    outdir: cache,
    logLevel: 'warning',
    plugins: [importMeta],
    // CommonJS packages inside an ES module still call require() for Node's own modules.
    banner: { js: "import { createRequire as slipwayRequire } from 'node:module'; const require = slipwayRequire(import.meta.url);" },
  });
  const code = outputFiles[0].contents;
  const name = relative(root, entry).replaceAll(/[^A-Za-z0-9]+/g, '-');
  const file = join(cache, `${name}-${createHash('sha256').update(code).digest('hex').slice(0, 12)}.mjs`);
  mkdirSync(cache, { recursive: true });
  removeOld(name);
  if (!existsSync(file)) {
    const partial = `${file}.${process.pid}`;
    writeFileSync(partial, code);
    renameSync(partial, file);
  }
  return file;
}

function removeOld(name) {
  for (const file of readdirSync(cache)) {
    const path = join(cache, file);
    if (file.startsWith(`${name}-`) && statSync(path, { throwIfNoEntry: false })?.mtimeMs < Date.now() - day) rmSync(path, { force: true });
  }
}

const [script, ...args] = process.argv.slice(2);
if (script === undefined || !existsSync(script)) {
  process.stderr.write(
    script === undefined ? 'usage: node scripts/run-ts.mjs FILE [ARGS]\n' : `${basename(script)}: there is no file ${resolve(script)}\n`,
  );
  process.exit(2);
}

const program = await bundle(resolve(script)).catch(() => process.exit(1)); // esbuild has said why
const child = spawn(node24(), ['--enable-source-maps', program, ...args], { stdio: 'inherit' });
// In a terminal Ctrl-C reaches the child by itself; a second one would look like impatience.
process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
child.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal];
});
