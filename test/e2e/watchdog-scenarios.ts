import type { Scenario } from './scenarios.js';
export const watchdogScenarios: Scenario[] = [];
