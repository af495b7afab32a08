export { analyzeEngine } from './analyze-engine.js';
export { engineTracks, listEnginePods } from './engine-pods.js';
export type { EngineRecord, EngineState } from './engine-state.js';
export { readEngineStatus } from './engine-status.js';
export { engineKindOf } from './engine-target.js';
export { runEngineCommand } from './run-engine-command.js';
