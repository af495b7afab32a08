import { backendRef, dnsName, groupField, kindField, objectName, port } from './references.js';
import { flag, integer, list, oneOf, type Rule, type Schema, struct, text } from './schema.js';

// biome-ignore lint/suspicious/noExplicitAny: decoded JSON that has passed the form
type Any = any;

export const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];
export const headerName = "^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$";

const header = struct(
  { name: text({ pattern: headerName, minLength: 1, maxLength: 256 }), value: text({ minLength: 1, maxLength: 4096 }) },
  { required: ['name', 'value'] },
);
const headers = list(header, { maxItems: 16, keys: ['name'] });
const headerModifier = struct({ add: headers, set: headers, remove: list(text(), { maxItems: 16, set: true }) });

const replacement = struct(
  {
    type: oneOf(['ReplaceFullPath', 'ReplacePrefixMatch']),
    replaceFullPath: text({ maxLength: 1024 }),
    replacePrefixMatch: text({ maxLength: 1024 }),
  },
  {
    required: ['type'],
    rules: [
      ['ReplaceFullPath', 'replaceFullPath'],
      ['ReplacePrefixMatch', 'replacePrefixMatch'],
    ].flatMap(([type = '', field = '']) => [
      {
        message: `${field} must be specified when type is set to '${type}'`,
        holds: (path: Any) => path.type !== type || path[field] !== undefined,
      },
      { message: `type must be '${type}' when ${field} is set`, holds: (path: Any) => path[field] === undefined || path.type === type },
    ]),
  },
);
const hostname = text({ pattern: dnsName, minLength: 1, maxLength: 253 });

const mirror = struct(
  {
    backendRef: backendRef(),
    percent: integer({ minimum: 0, maximum: 100 }),
    fraction: struct(
      { numerator: integer({ minimum: 0 }), denominator: integer({ minimum: 1, default: 100 }) },
      {
        required: ['numerator'],
        rules: [
          {
            message: 'numerator must be less than or equal to denominator',
            holds: ({ numerator, denominator }) => numerator <= denominator,
          },
        ],
      },
    ),
  },
  {
    required: ['backendRef'],
    rules: [
      {
        message: 'Only one of percent or fraction may be specified in HTTPRequestMirrorFilter',
        holds: ({ percent, fraction }) => percent === undefined || fraction === undefined,
      },
    ],
  },
);

const cors = struct({
  allowCredentials: flag(),
  allowHeaders: list(text({ pattern: headerName, minLength: 1, maxLength: 256 }), { maxItems: 64, set: true }),
  allowMethods: list(oneOf([...methods, '*']), { maxItems: 9, set: true }),
  allowOrigins: list(text({ minLength: 1, maxLength: 253 }), { maxItems: 64, set: true }),
  exposeHeaders: list(text({ pattern: headerName, minLength: 1, maxLength: 256 }), { maxItems: 64, set: true }),
  maxAge: integer({ minimum: 1, default: 5 }),
});

/** Each type of filter has one field of its own. */
const fieldOf: Record<string, string> = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
  ExtensionRef: 'extensionRef',
  CORS: 'cors',
};

const fieldMatchesType: Rule[] = Object.entries(fieldOf).flatMap(([type, field]) => [
  {
    message: `filter.${field} must be nil if the filter.type is not ${type}`,
    holds: (filter: Any) => filter[field] === undefined || filter.type === type,
  },
  {
    message: `filter.${field} must be specified for ${type} filter.type`,
    holds: (filter: Any) => filter[field] !== undefined || filter.type !== type,
  },
]);

const filter = struct(
  {
    type: oneOf(Object.keys(fieldOf)),
    requestHeaderModifier: headerModifier,
    responseHeaderModifier: headerModifier,
    requestMirror: mirror,
    requestRedirect: struct({
      scheme: oneOf(['http', 'https']),
      hostname,
      path: replacement,
      port: port(),
      statusCode: { type: 'integer', enum: [301, 302, 303, 307, 308], default: 302 },
    }),
    urlRewrite: struct({ hostname, path: replacement }),
    extensionRef: struct({ group: groupField(), kind: kindField(), name: objectName() }, { required: ['group', 'kind', 'name'] }),
    cors,
  },
  { required: ['type'], rules: fieldMatchesType },
);

const once = (type: string): Rule => ({
  message: `${type} filter cannot be repeated`,
  holds: (filters: Any[]) => filters.filter((one) => one.type === type).length <= 1,
});

/** Filters of a rule, or of one of its backends. */
export const filters: Schema = list(filter, {
  maxItems: 16,
  rules: [
    {
      message: 'May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both',
      holds: (all: Any[]) => !(all.some(({ type }) => type === 'RequestRedirect') && all.some(({ type }) => type === 'URLRewrite')),
    },
    ...['CORS', 'RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestRedirect', 'URLRewrite'].map(once),
  ],
});
