import { type JudgeConfig, judgeSettings } from './judge-config.js';
import { anytimeValidJudge } from './judges/anytime-valid.js';
import { thresholdJudge } from './judges/threshold.js';
import type { Judge } from './types.js';

/** The judge that slipway.yml asks for. Throws UsageError for settings that make no sense. */
export function createJudge(config: JudgeConfig = {}): Judge {
  const judge = config.judge === 'threshold' ? thresholdJudge(config.threshold) : anytimeValidJudge(judgeSettings(config));
  return judge as Judge;
}
