import { integer, list, number, open, type Rule, type Schema, text } from './schema.js';

const uint = () => integer({ minimum: 0, maximum: 4294967295 });
const destination = open({ host: text(), subset: text(), port: open({ number: uint() }) }, { required: ['host'] });
const target = open({ destination, weight: integer() }, { required: ['destination'] });

/** The schemas of Istio have rules, and with them the remark on rules not looked at; those themselves concern fields unused here. */
const ruled: { rules: readonly Rule[] } = { rules: [{ message: '', holds: () => true }] };

export const virtualService: Schema = open({
  spec: open(
    {
      hosts: list(text()),
      gateways: list(text()),
      exportTo: list(text()),
      http: list(
        open({
          name: text(),
          match: list(open({ name: text() })),
          route: list(target),
          mirror: destination,
          mirrorPercentage: open({ value: number() }),
          mirrors: list(open({ destination, percentage: open({ value: number() }) }, { required: ['destination'] })),
          timeout: text(),
        }),
      ),
      tls: list(
        open({ match: list(open({ sniHosts: list(text()) }, { required: ['sniHosts'] })), route: list(target) }, { required: ['match'] }),
      ),
      tcp: list(open({ match: list(open()), route: list(target) })),
    },
    ruled,
  ),
});

export const destinationRule: Schema = open({
  spec: open(
    { host: text(), subsets: list(open({ name: text(), labels: open() }, { required: ['name'] })), exportTo: list(text()) },
    { required: ['host'], ...ruled },
  ),
});
