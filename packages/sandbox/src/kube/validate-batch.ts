import type { KubeObject } from './object.js';
import type { Findings } from './validate.js';
import { validatePodSpec } from './validate-pod.js';

// biome-ignore lint/suspicious/noExplicitAny: a decoded Job spec
function checkJobSpec(spec: any, at: string, findings: Findings): void {
  const pod = spec?.template?.spec;
  for (const field of ['parallelism', 'completions', 'backoffLimit', 'activeDeadlineSeconds', 'ttlSecondsAfterFinished']) {
    if (spec?.[field] < 0) findings.invalid(`${at}.${field}`, spec[field], 'must be greater than or equal to 0');
  }
  validatePodSpec(pod, `${at}.template.spec`, findings);
  if (!pod || ['Never', 'OnFailure'].includes(pod.restartPolicy)) return;
  const field = `${at}.template.spec.restartPolicy`;
  if (pod.restartPolicy === 'Always') findings.required(field, 'valid values: "OnFailure", "Never"');
  else findings.unsupported(field, pod.restartPolicy, ['OnFailure', 'Never']);
}

/** batch/v1 Job. */
export function validateJob({ spec }: KubeObject, findings: Findings): void {
  checkJobSpec(spec, 'spec', findings);
}

/** batch/v1 CronJob; of the schedule only the number of fields is looked at. */
export function validateCronJob({ spec }: KubeObject, findings: Findings): void {
  const schedule: string = spec?.schedule ?? '';
  const fields = schedule.trim().split(/\s+/);
  if (!schedule) findings.required('spec.schedule');
  else if (!schedule.startsWith('@') && fields.length !== 5) {
    findings.invalid('spec.schedule', schedule, `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
  }
  checkJobSpec(spec?.jobTemplate?.spec, 'spec.jobTemplate.spec', findings);
}
