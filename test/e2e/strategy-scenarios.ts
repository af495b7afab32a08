import type { Scenario } from './scenarios.js';
export const strategyScenarios: Scenario[] = [];
