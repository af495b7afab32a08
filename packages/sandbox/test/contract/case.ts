/** Sends one request to a Kubernetes API server. */
export type Send = (request: ContractRequest) => Promise<{ status: number; text: string }>;

export interface ContractRequest {
  method: string;
  path: string;
  body?: unknown;
  /** Content type; default JSON. */
  type?: string;
  /** Asked in the name of another user (`Impersonate-User`). */
  as?: string;
}

/** What a server may lack: an API group, or nodes that run pods of any image. */
export type Need = 'living pods' | 'networking.istio.io' | 'gateway.networking.k8s.io' | 'argoproj.io' | 'flagger.app';

/**
 * One request and what is compared of its answer. `{PATH of CASE}` in path and body stands for a value of an earlier answer, e.g.
 * `{metadata.resourceVersion of list}`.
 */
export interface Case extends ContractRequest {
  name: string;
  /**
   * Paths within a successful answer that must be the same, e.g. `spec.replicas`; `*` is every item of a list, whose values are sorted,
   * `+` every item in order. A watch's answer is `{ events: […] }`. A refusal is compared whole.
   */
  show?: readonly string[];
  /** Asked again until this holds, at most 30 s. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of many kinds
  until?: (answer: any) => boolean;
  needs?: Need;
}

/** What is compared of an answer. */
export interface Recorded {
  status: number;
  answer: unknown;
}
