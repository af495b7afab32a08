import { parseArgs } from 'node:util';
import { type Sandbox, type SandboxOptions, startSandbox } from './sandbox.js';
import { type ShopOptions, shop } from './shop.js';
import { type ShopRouter, shopRouters } from './shop-routes.js';

const usage = `Runs a sandbox until SIGTERM or SIGINT; prints one line of JSON with its addresses.
Options: --kubeconfig FILE, --repository OWNER/NAME, --seed N, --until-stdin-ends, --ready-delay MS, --stop-delay MS, --apply-delay MS, --endpoint-delay MS,
--tag NAME=SHA (a tag of a local repository that its GitHub is to know; may be repeated),
--node-cpu QUANTITY (cores of each of the three nodes; default: any number), --hpa-interval MS, --hpa-downscale-window MS,
--shop (with --replicas N, --rps N, --router ${shopRouters.join('|')}, --image IMAGE, --cpu QUANTITY)`;

/**
 * Runs a sandbox as a process of its own: prints one line of JSON with its addresses, and ends on SIGTERM or SIGINT; with
 * `--until-stdin-ends` also when its standard input closes, so that it cannot outlive the process that started it.
 */
export async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...argv], options });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return;
  }
  const sandbox = await startSandbox(sandboxOptions(values));
  if (values.shop) await shop(sandbox, shopOptions(values));
  for (const tag of values.tag ?? []) knowTag(sandbox, tag);
  if (values.kubeconfig) sandbox.writeKubeconfig(values.kubeconfig);
  const { apiUrl, statsUrl, prometheusUrl, githubUrl, githubToken } = sandbox;
  const addresses = { apiUrl, statsUrl, prometheusUrl, githubUrl, githubToken, kubeconfig: values.kubeconfig ?? null, pid: process.pid };
  process.stdout.write(`${JSON.stringify(addresses)}\n`);
  await ended(values['until-stdin-ends'] ?? false);
  await sandbox.stop();
}

const text = { type: 'string' } as const;
const options = {
  kubeconfig: text,
  repository: text,
  tag: { type: 'string', multiple: true },
  seed: text,
  'ready-delay': text,
  'stop-delay': text,
  'apply-delay': text,
  'endpoint-delay': text,
  help: { type: 'boolean', short: 'h' },
  shop: { type: 'boolean' },
  'until-stdin-ends': { type: 'boolean' },
  'node-cpu': text,
  'hpa-interval': text,
  'hpa-downscale-window': text,
  cpu: text,
  replicas: text,
  rps: text,
  router: text,
  image: text,
} as const;

type Values = Partial<Record<Exclude<keyof typeof options, 'help' | 'shop' | 'tag' | 'until-stdin-ends'>, string>>;

/** As if the tag had been pushed: a release can be made of it. */
function knowTag({ github }: Sandbox, given: string): void {
  const [, name, sha] = /^(\S+)=([0-9a-f]{40})$/.exec(given) ?? [];
  if (!name || !sha) throw new Error(`--tag ${given}: must be NAME=SHA, with a whole commit id. ${usage}`);
  github.tag(name, github.commit(name, undefined, sha));
}

function sandboxOptions(values: Values): SandboxOptions {
  return {
    ...(values.repository ? { repository: values.repository } : {}),
    ...number('seed', values.seed),
    ...number('readyDelay', values['ready-delay']),
    ...number('stopDelay', values['stop-delay']),
    ...number('applyDelay', values['apply-delay']),
    ...number('endpointDelay', values['endpoint-delay']),
    ...number('hpaInterval', values['hpa-interval']),
    ...number('hpaDownscaleWindow', values['hpa-downscale-window']),
    ...(values['node-cpu'] ? { nodes: { count: 3, cpu: values['node-cpu'] } } : {}),
  };
}

function shopOptions(values: Values): ShopOptions {
  const { router, image, cpu } = values;
  if (router !== undefined && !isShopRouter(router))
    throw new Error(`--router ${router}: must be one of ${shopRouters.join(', ')}. ${usage}`);
  return {
    ...number('replicas', values.replicas),
    ...number('rps', values.rps),
    ...(router ? { router } : {}),
    ...(image ? { image } : {}),
    ...(cpu ? { cpu } : {}),
  };
}

function isShopRouter(text: string): text is ShopRouter {
  return (shopRouters as readonly string[]).includes(text);
}

function number<K extends string>(key: K, value: string | undefined): { [P in K]?: number } {
  if (value === undefined) return {};
  if (!/^\d+(\.\d+)?$/.test(value)) throw new Error(`${key}: "${value}" is not a number. ${usage}`);
  return { [key]: Number(value) } as { [P in K]?: number };
}

function ended(withStdin: boolean): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
    if (withStdin) process.stdin.once('end', () => resolve()).resume();
  });
}
