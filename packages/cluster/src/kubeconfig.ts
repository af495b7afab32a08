import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { type Problem, suggestion, UsageError } from '@slipway/core';

export interface KubeconfigOptions {
  /** A path, several separated as in KUBECONFIG, or the kubeconfig itself (from a secret). Absent: KUBECONFIG, `~/.kube/config`, in-cluster. */
  kubeconfig?: string | undefined;
  /** Name of the context; absent: the current one. */
  context?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
}

const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * Loads the kubeconfig and chooses the context. Throws UsageError saying what is missing; never prints what the file holds, because that
 * is mostly credentials.
 */
export function loadKubeconfig(options: KubeconfigOptions): KubeConfig {
  const config = readConfig(options);
  const context = chooseContext(config, options.context);
  config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (!cluster) throw usage('context', `context "${context}" names a cluster that the kubeconfig does not have`);
  if (!URL.canParse(cluster.server)) {
    throw usage('kubeconfig', `the server of cluster "${cluster.name}" is not a URL`, { example: 'https://203.0.113.7:6443' });
  }
  if (!config.getCurrentUser()) throw usage('context', `context "${context}" names a user that the kubeconfig does not have`);
  // Over plain HTTP there is no certificate to verify, and KubeConfig refuses such servers unless told so.
  if (cluster.server.startsWith('http:')) Object.assign(cluster, { skipTLSVerify: true });
  return config;
}

function readConfig({ kubeconfig, env }: KubeconfigOptions): KubeConfig {
  if (kubeconfig && isContent(kubeconfig)) return parse(kubeconfig, 'the kubeconfig given', process.cwd());
  const paths = (kubeconfig || env.KUBECONFIG || '').split(delimiter).filter((path) => path !== '');
  if (paths.length > 0) return readFiles(paths, kubeconfig ? 'kubeconfig' : 'KUBECONFIG');
  const usual = join(env.HOME || homedir(), '.kube', 'config');
  if (existsSync(usual)) return readFiles([usual], 'kubeconfig');
  if (env.KUBERNETES_SERVICE_HOST && existsSync(SERVICE_ACCOUNT_TOKEN)) {
    const config = new KubeConfig();
    config.loadFromCluster();
    return config;
  }
  throw usage('kubeconfig', `no kubeconfig: KUBECONFIG is not set, there is no ${usual}, and this is not a pod with a service account`, {
    allowed: 'a path to a kubeconfig, or its content',
    example: './kubeconfig',
  });
}

/** A path has one line; a kubeconfig, YAML or JSON, cannot do with `clusters` and `users` in one word. */
function isContent(text: string): boolean {
  return text.includes('\n') || text.trimStart().startsWith('{');
}

/** Long enough to be no usual path: a kubeconfig has some hundred characters at least. */
function isBase64(text: string): boolean {
  return /^[A-Za-z0-9+/_-]{120,}={0,2}$/.test(text);
}

function readFiles(paths: string[], where: string): KubeConfig {
  const [first, ...others] = paths.map((path) => parse(readText(path, where), path, dirname(path)));
  if (!first) throw usage(where, 'names no file');
  for (const [index, other] of others.entries()) merge(first, other, paths[index + 1] ?? '');
  return first;
}

/** As kubectl merges: the first file that names something wins. */
function merge(into: KubeConfig, from: KubeConfig, path: string): void {
  const absent = <T extends { name: string }>(there: T[], more: T[]) =>
    more.filter(({ name }) => !there.some((each) => each.name === name));
  try {
    for (const cluster of absent(into.clusters, from.clusters)) into.addCluster(cluster);
    for (const user of absent(into.users, from.users)) into.addUser(user);
    for (const context of absent(into.contexts, from.contexts)) into.addContext(context);
  } catch (error) {
    throw usage('KUBECONFIG', `${path} names something twice`, {}, error);
  }
  if (!into.currentContext && from.currentContext) into.setCurrentContext(from.currentContext);
}

function readText(path: string, where: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Neither the text nor the system's error, which quotes it: this is a credential.
    if (isBase64(path)) {
      throw usage(where, 'is no file; it looks like a kubeconfig in base64 (not shown)', {
        allowed: 'a path to a kubeconfig, or its content as it is: decode it first (base64 -d)',
      });
    }
    const why = code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a folder' : `cannot be read (${code})`;
    throw usage(where, `${path} ${why}`, { allowed: 'a path to a kubeconfig, or its content' }, error);
  }
}

function parse(text: string, place: string, folder: string): KubeConfig {
  if (text.trim() === '') throw usage('kubeconfig', `${place} is empty (a secret that this job may not read?)`);
  const config = new KubeConfig();
  try {
    config.loadFromString(text);
    config.makePathsAbsolute(folder);
  } catch (error) {
    throw usage('kubeconfig', `${place} is not a kubeconfig: ${yamlWords(error)}`, lineOf(error));
  }
  return config;
}

interface YamlError extends Error {
  reason?: string;
  mark?: { line: number; column: number };
}

/** Never the message of a YAML error: it quotes the lines around, and those may be a token. */
function yamlWords(error: unknown): string {
  const { name, reason, message } = error as YamlError;
  if (name === 'YAMLException') return `not YAML (${reason ?? 'syntax error'})`;
  return /^(clusters|users|contexts)\[\d+\]\S* is missing$/.test(message)
    ? message
    : 'it is not a mapping with clusters, users and contexts';
}

function lineOf(error: unknown): Partial<Problem> {
  const { mark } = error as YamlError;
  return mark ? { line: mark.line + 1, column: mark.column + 1 } : {};
}

function chooseContext(config: KubeConfig, wanted: string | undefined): string {
  const names = config.contexts.map(({ name }) => name);
  const list = names.join(', ') || 'none';
  const name = wanted || config.currentContext;
  if (!name) {
    throw usage('context', `the kubeconfig has no current context; it has: ${list}`, {
      allowed: list,
      ...(names[0] ? { example: names[0] } : {}),
    });
  }
  if (names.includes(name)) return name;
  throw usage('context', `the kubeconfig has no context "${name}"${suggestion(name, names)}`, { allowed: list });
}

function usage(where: string, message: string, more: Partial<Problem> = {}, cause?: unknown): UsageError {
  return new UsageError([{ where, message, ...more }], cause === undefined ? undefined : { cause });
}
