export * from './create-judge.js';
export * from './judge-config.js';
export * from './replay.js';
export { type Trace, readTraces } from './trace-format.js';
export * from './types.js';
