import * as z from 'zod/mini';
import { atLeastOne, choice, duration, integer, label, map, matching, named, objectName, percent, port, text } from './kinds.js';

/** What slipway.yml may say, with the descriptions that editors show. Built when asked for, so that importing costs nothing. */
export function buildSchema() {
  const descriptions = z.registry<{ description: string; title?: string }>();
  const about = <T extends z.core.$ZodType>(description: string, schema: T): T => {
    descriptions.add(schema, { description });
    return schema;
  };
  return { schema: fileSchema(about), descriptions };
}

export type ConfigFile = z.output<ReturnType<typeof fileSchema>>;
type About = <T extends z.core.$ZodType>(description: string, schema: T) => T;

function fileSchema(about: About) {
  return about(
    'How Slipway releases the services of this repository.',
    map({
      version: about('Version of this file format.', z.literal(1, { error: '1' })),
      release: about('Tags and changelog.', z.prefault(releaseSchema(about), {})),
      environments: about(
        'Where services run, by name of the GitHub environment.',
        named(/^[A-Za-z0-9][\w ./-]{0,254}$/, 'letters, digits, "-", "_", ".", "/" and spaces', environmentSchema(about)),
      ),
      services: about(
        'What is released, by a name of your choice.',
        named(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'a DNS label: at most 63 lower-case letters, digits and "-"', serviceSchema(about)),
      ),
    }),
  );
}

function releaseSchema(about: About) {
  return map({
    'tag-prefix': about(
      'What a release tag begins with, before the version.',
      z.prefault(matching(/^[\w./-]{0,50}$/, 'at most 50 letters, digits and ._/-'), 'v'),
    ),
    changelog: about('Path of the changelog from the root of the repository.', z.prefault(text('a path'), 'CHANGELOG.md')),
  });
}

function environmentSchema(about: About) {
  return map({
    namespace: about('Kubernetes namespace.', label()),
    context: about('kubeconfig context; default: the current one.', z.optional(text('the name of a kubeconfig context'))),
  });
}

function serviceSchema(about: About) {
  return map({
    workload: about("Deployment; default: the service's name.", z.optional(objectName())),
    container: about('Container whose image is released; default: the only one.', z.optional(label())),
    service: about("Kubernetes Service that users' requests come through; default: the service's name.", z.optional(objectName())),
    'metrics-port': about('Port of the pods that serves /metrics, number or name; default: the first declared port.', z.optional(port())),
    strategy: about(
      "`canary`: by weights; `blue-green`: all at once, and back; `rolling`: the Deployment's own rolling update; `shadow`: copies of requests alone.",
      z.prefault(choice(['canary', 'blue-green', 'rolling', 'shadow']), 'canary'),
    ),
    engine: about(
      'Who moves the traffic: Slipway itself, or the controller that is installed for it.',
      z.prefault(choice(['native', 'argo-rollouts', 'flagger']), 'native'),
    ),
    traffic: about('How traffic is split between stable and canary.', z.prefault(trafficSchema(about), 'replicas')),
    'split-check': about(
      "Before a step's clock starts, its split is `measured` from the pods' own request counts; `objects`: what the objects say is enough.",
      z.prefault(choice(['measured', 'objects']), 'measured'),
    ),
    steps: about(
      'What the new version goes through before it is promoted, weights ascending; the default depends on the strategy.',
      z.optional(z.array(stepSchema(about), { error: 'a list of steps' }).check(z.minLength(1, { error: 'at least one step' }))),
    ),
    'ready-timeout': about('Longest wait for a Deployment to become ready.', z.prefault(duration({ min: 1000 }), '300s')),
    drain: about("Shortest wait between the canary's weight being 0 and its removal.", z.prefault(duration({ min: 0 }), '5s')),
    'scale-down-delay': about('How long the pods that a promotion replaces are kept after it.', z.prefault(duration({ min: 0 }), '0s')),
    'abort-scale-down-delay': about(
      "How long the canary's pods are kept after an abort, for whoever wants to look.",
      z.prefault(duration({ min: 0 }), '0s'),
    ),
    'rollback-window': about(
      'A version that is one of so many revisions before the present one needs no steps: `start` puts it back at once. 0: it needs them.',
      z.prefault(integer(0, 100), 0),
    ),
    'max-snapshots': about('How many snapshots are kept.', z.prefault(integer(1, 100), 5)),
    analysis: about('How the canary is judged.', z.prefault(analysisSchema(about), {})),
    triggers: about('Absolute limits at which `auto-rollback watch` rolls back at once.', z.prefault(triggersSchema(about), {})),
  });
}

const routers = ['gateway-api', 'istio', 'nginx', 'replicas'] as const;

function trafficSchema(about: About) {
  const header = () =>
    about(
      'Requests with this header (value `true`) meet the canary; default: no header route.',
      z.optional(matching(/^[a-z0-9][a-z0-9-]*$/, 'the name of an HTTP header in lower case')),
    );
  const cookie = () =>
    about(
      'Requests with this cookie (value `always`) meet the canary; default: no cookie route.',
      z.optional(matching(/^[A-Za-z0-9_-]{1,64}$/, 'the name of a cookie: letters, digits, "-" and "_"')),
    );
  const gitops = () =>
    about(
      'Set to true once the GitOps controller that owns these objects is told to ignore what Slipway writes.',
      z.prefault(z.boolean({ error: 'true or false' }), false),
    );
  const services = () => ({
    'stable-service': about('Service of the stable pods alone; default: the one that the route leads to.', z.optional(objectName())),
    'canary-service': about(
      'Service of the canary pods alone; default: `<service>-canary`, made for the rollout when it is not there.',
      z.optional(objectName()),
    ),
  });
  const replicas = map({
    router: about('Replica ratio: no mesh is needed, the split is as fine as the replicas allow.', z.literal('replicas')),
    'gitops-ignores-weights': gitops(),
  });
  const istio = map({
    router: about('Istio VirtualService and DestinationRule.', z.literal('istio')),
    'virtual-service': about(
      "VirtualService, or a list of several that lead to the service; default: the service's name.",
      z.optional(
        z.union([objectName(), z.array(objectName()).check(z.minLength(1), z.maxLength(20))], {
          error: 'a name of a Kubernetes object, or a list of 1 to 20 of them',
        }),
      ),
    ),
    'destination-rule': about("DestinationRule; default: the service's name.", z.optional(objectName())),
    route: about(
      'Name of the http route whose weights are set; default: the only one that leads to the stable subset.',
      z.optional(text('the name of a route')),
    ),
    protocol: about('Which routes are split.', z.prefault(choice(['http', 'tls', 'tcp']), 'http')),
    'stable-subset': about('Subset of the stable pods.', z.prefault(label(), 'stable')),
    'canary-subset': about('Subset of the canary pods.', z.prefault(label(), 'canary')),
    header: header(),
    cookie: cookie(),
    'gitops-ignores-weights': gitops(),
  });
  const gatewayApi = map({
    router: about('Gateway API HTTPRoute.', z.literal('gateway-api')),
    'http-route': about("HTTPRoute; default: the service's name.", z.optional(objectName())),
    ...services(),
    header: header(),
    cookie: cookie(),
    'gitops-ignores-weights': gitops(),
  });
  const nginx = map({
    router: about('Ingress of ingress-nginx, split by a canary Ingress.', z.literal('nginx')),
    ingress: about("Ingress; default: the service's name.", z.optional(objectName())),
    ...services(),
    header: header(),
    cookie: cookie(),
    'gitops-ignores-weights': gitops(),
  });
  const full = z.discriminatedUnion('router', [replicas, istio, gatewayApi, nginx], {
    error: (issue) => (issue.code === 'invalid_union' ? routers.join(', ') : `${routers.join(', ')}, or a map with the key router`),
  });
  const short = z.pipe(
    choice(routers),
    z.transform((router: (typeof routers)[number]) => z.parse(full, { router })),
  );
  return z.union([short, full], { error: `${routers.join(', ')}, or a map with the key router` });
}

function stepSchema(about: About) {
  return map({
    weight: about(
      'Percent of users that meet the new version. 0: none but those of the header, cookie or mirror. 100, in the last step: everybody, while the former version is kept warm.',
      z.prefault(integer(0, 100), 0),
    ),
    mirror: about('Share of requests whose copy is sent to the canary; its answers are thrown away.', z.prefault(percent({ max: 1 }), 0)),
    match: about(
      'Whether requests with the configured header or cookie meet the canary in this step.',
      z.prefault(z.boolean({ error: 'true or false' }), true),
    ),
    replicas: about(
      "Canary pods, in percent of stable's; default: as many as the step's share needs.",
      z.optional(percent({ above: 0, max: 1 })),
    ),
    duration: about('How long the step is watched.', duration({ min: 1000 })),
    'max-error-rate': about(
      "Limit on the canary's error rate in this step; default: the comparison with stable alone decides.",
      z.optional(percent({ max: 1 })),
    ),
    pause: about('When the step is in force, the rollout pauses until `resume`.', z.prefault(z.boolean({ error: 'true or false' }), false)),
    gate: about(
      'URL that must answer 2xx before users are moved to this step.',
      z.optional(matching(/^https?:\/\/[^\s]+$/, 'an http or https URL')),
    ),
  });
}

function analysisSchema(about: About) {
  return map({
    judge: about(
      '`anytime-valid` bounds the chance of rolling back a good release; `threshold` compares with fixed limits.',
      z.prefault(choice(['anytime-valid', 'threshold']), 'anytime-valid'),
    ),
    provider: about(
      "Where the numbers come from: the pods' own /metrics, or a Prometheus server.",
      z.prefault(choice(['pods', 'prometheus']), 'pods'),
    ),
    prometheus: about('The Prometheus server; needed with provider `prometheus`.', z.optional(prometheusSchema(about))),
    window: about('Length of one window of counts.', z.prefault(duration({ min: 1000 }), '10s')),
    'warm-up': about('Pods younger than this are judged for catastrophic failure only.', z.prefault(duration({ min: 0 }), '60s')),
    'false-rollback-budget': about(
      'Largest probability of rolling back a good release.',
      z.prefault(percent({ above: 0, max: 0.5 }), 0.05),
    ),
    'max-error-ratio': about("Tolerated ratio of the canary's error rate to stable's.", z.prefault(atLeastOne(), 1.25)),
    'error-margin': about('Error rate that is tolerated on top of it.', z.prefault(percent({ max: 1 }), '0.02%')),
    'pass-ratio': about('Ratio to stable that a pass must rule out.', z.prefault(atLeastOne(), 2)),
    'pass-margin': about(
      'Error rate on top of it that a pass must rule out: the smaller, the more requests a pass needs.',
      z.prefault(percent({ max: 1 }), '0.5%'),
    ),
    'latency-slo': about('A latency that is always judged: the share of slower requests.', z.optional(duration({ min: 1 }))),
    'on-nodata': about('What no data leads to. It is never a pass.', z.prefault(choice(['hold', 'fail']), 'hold')),
    'on-inconclusive': about('What a step that ends undecided leads to.', z.prefault(choice(['hold', 'continue', 'fail']), 'hold')),
    threshold: about('Limits of the `threshold` judge.', z.prefault(thresholdSchema(about), {})),
  });
}

function prometheusSchema(about: About) {
  const metricName = () => matching(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/, 'the name of a metric');
  return map({
    url: about('Address of the server.', matching(/^https?:\/\/[^\s]+$/, 'an http or https URL')),
    requests: about('Counter of requests.', z.prefault(metricName(), 'http_requests_total')),
    'error-selector': about('Label matchers of the requests that failed.', z.prefault(text('label matchers'), 'code=~"5.."')),
    latency: about('Base name of the latency histogram.', z.prefault(metricName(), 'http_request_duration_seconds')),
    selector: about('Further label matchers of all queries.', z.prefault(z.string({ error: 'label matchers' }), '')),
    'pod-label': about(
      'Label that holds the name of the pod.',
      z.prefault(matching(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'the name of a label'), 'pod'),
    ),
    lag: about(
      'How far Prometheus is behind: at least its scrape interval and a little more. Windows are read only when they are that old.',
      z.prefault(duration({ min: 1000 }), '15s'),
    ),
    history: about("How far back stable's history is read.", z.prefault(duration({ min: 0 }), '1h')),
  });
}

function thresholdSchema(about: About) {
  return map({
    'error-difference': about('Largest difference of the error rates, in percentage points.', z.prefault(percent({ max: 1 }), '0.5%')),
    'p99-ratio': about("Largest ratio of the canary's p99 latency to stable's.", z.prefault(atLeastOne(), 1.1)),
    'min-requests': about('Requests of each track below which nothing is decided.', z.prefault(integer(1, 1_000_000_000), 100)),
  });
}

function triggersSchema(about: About) {
  const count = () => integer(0, 1_000_000);
  return map({
    'error-rate': about(
      'Share of failed requests.',
      z.prefault(map({ above: percent({ max: 1 }), for: duration({ min: 0 }) }), { above: '5%', for: '2m' }),
    ),
    'latency-p99': about(
      'p99 latency.',
      z.prefault(map({ above: duration({ min: 1 }), for: duration({ min: 0 }) }), { above: '5000ms', for: '5m' }),
    ),
    'health-failures': about(
      'Failed health checks.',
      z.prefault(map({ above: count(), within: duration({ min: 1000 }) }), { above: 3, within: '1m' }),
    ),
    restarts: about(
      'Restarts of containers.',
      z.prefault(map({ above: count(), within: duration({ min: 1000 }) }), { above: 5, within: '5m' }),
    ),
    'min-requests': about('Requests below which rates are not judged.', z.prefault(integer(1, 1_000_000_000), 20)),
  });
}
