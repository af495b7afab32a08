export * from './clock.js';
export * from './context.js';
export * from './contract.js';
export * from './errors.js';
export * from './result.js';
