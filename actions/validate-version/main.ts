import {
  type Action,
  type Context,
  type Ending,
  type Inputs,
  mdCode,
  mdTable,
  mdText,
  OperationError,
  type Problem,
  UsageError,
} from '@slipway/core';
import { type Baseline, checkVersion, parseTagPrefix, parseVersion, printable, readTags, type VersionVerdict } from '@slipway/release';
import { contract } from './contract.js';

type Contract = typeof contract;

export const action: Action<Contract> = { contract, main };

async function main(inputs: Inputs<Contract>, context: Context): Promise<Ending<Contract>> {
  const { prefix, previous } = readInputs(inputs);
  const baseline = previous ?? (await tagsOf(context));
  const verdict = checkVersion({ text: inputs.version, tagPrefix: prefix, baseline });
  const { outcome, reason, summary, next, details } = verdict;
  return { outcome, reason, summary, next, details, outputs: outputs(verdict), report: report(verdict) };
}

function readInputs(inputs: Inputs<Contract>): { prefix: string; previous: Baseline | undefined } {
  const problems: Problem[] = [];
  const tagPrefix = parseTagPrefix(inputs['tag-prefix']);
  if ('problem' in tagPrefix) problems.push(tagPrefix.problem);
  const prefix = 'prefix' in tagPrefix ? tagPrefix.prefix : '';
  const previous = inputs.previous === undefined ? undefined : readPrevious(inputs.previous, prefix, problems);
  if (problems.length > 0) throw new UsageError(problems);
  return { prefix, previous };
}

function readPrevious(text: string, tagPrefix: string, problems: Problem[]): Baseline | undefined {
  if (text === 'none') return { from: 'none' };
  const parsed = parseVersion(text, { tagPrefix });
  if (parsed.ok) return { from: 'given', version: parsed.version };
  const { position, message, expected } = parsed.problem;
  problems.push({
    where: 'previous',
    message: `"${printable(text)}" is not a version: at character ${position} ${message}`,
    allowed: `there ${expected}; or none for a first release`,
    example: contract.inputs.previous.example,
  });
  return undefined;
}

async function tagsOf({ cwd, env }: Context): Promise<Baseline> {
  try {
    return { from: 'tags', repository: await readTags({ cwd, env }) };
  } catch (error) {
    if (error instanceof OperationError) return { from: 'unreadable', error };
    throw error;
  }
}

function outputs({ details }: VersionVerdict): NonNullable<Ending<Contract>['outputs']> {
  const shared = { previous: details.previous ?? '', 'next-legal': details.nextLegal };
  if (details.version === null) return shared;
  return {
    ...shared,
    version: details.version,
    major: details.major ?? '',
    minor: details.minor ?? '',
    patch: details.patch ?? '',
    stage: details.stage ?? '',
    'stage-number': details.stageNumber ?? '',
    build: details.build ?? '',
    'is-prerelease': details.prerelease ?? '',
    tag: details.tag ?? '',
    bump: details.bump ?? '',
    'docker-tag': details.dockerTag ?? '',
  };
}

function report({ details }: VersionVerdict): string {
  const facts: [string, string][] = [
    ['Given', mdCode(details.input)],
    ['Version', mdCode(details.version ?? '')],
    ['Previous', mdCode(details.previous ?? '')],
    ['Bump', mdText(details.bump ?? '')],
    ['At character', details.problem ? `${details.problem.position} ${mdText(details.problem.character ?? 'end')}` : ''],
    ['Expected there', mdText(details.problem?.expected ?? '')],
    ['Did you mean', mdCode(details.didYouMean ?? '')],
    ['Legal next', details.nextLegal.map(mdCode).join(', ')],
  ];
  return mdTable(
    ['Fact', 'Value'],
    facts.filter(([, value]) => value !== ''),
  );
}
