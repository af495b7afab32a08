/**
 * What a CustomResourceDefinition says of one value: the part of an OpenAPI v3 structural schema that the API server acts on. Fields that
 * the schema does not name are dropped, unless it is `open`: then it names only what is checked here.
 */
export interface Schema {
  type: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'intOrString' | 'any';
  fields?: Record<string, Schema>;
  /** Of a map: what each value is. */
  values?: Schema;
  items?: Schema;
  open?: boolean;
  required?: readonly string[];
  default?: unknown;
  enum?: readonly unknown[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  /** Items are told apart by these fields, and none may occur twice (`x-kubernetes-list-map-keys`). */
  keys?: readonly string[];
  /** Plain items, each at most once. */
  set?: boolean;
  rules?: readonly Rule[];
}

/** A rule beyond the form (`x-kubernetes-validations`). `before` is the stored value on an update. */
export interface Rule {
  message: string;
  // biome-ignore lint/suspicious/noExplicitAny: rules look into decoded JSON that has passed the form
  holds(value: any, before: any): boolean;
}

type Extra = Omit<Schema, 'type' | 'fields' | 'items' | 'values'>;

export const struct = (fields: Record<string, Schema>, extra: Extra = {}): Schema => ({ type: 'object', fields, ...extra });
/** An object of which only some fields are described. */
export const open = (fields: Record<string, Schema> = {}, extra: Extra = {}): Schema => ({ ...struct(fields, extra), open: true });
export const map = (values: Schema, extra: Extra = {}): Schema => ({ type: 'object', values, ...extra });
export const list = (items: Schema, extra: Extra = {}): Schema => ({ type: 'array', items, ...extra });
export const text = (extra: Extra = {}): Schema => ({ type: 'string', ...extra });
export const integer = (extra: Extra = {}): Schema => ({ type: 'integer', ...extra });
export const number = (extra: Extra = {}): Schema => ({ type: 'number', ...extra });
export const flag = (extra: Extra = {}): Schema => ({ type: 'boolean', ...extra });
export const oneOf = (values: readonly unknown[], extra: Extra = {}): Schema => ({ type: 'string', enum: values, ...extra });
export const intOrString = (): Schema => ({ type: 'intOrString' });
export const any = (): Schema => ({ type: 'any' });
