import type { Contract, InputSpec } from '../contract.js';
import { allowedBy } from '../inputs.js';
import { mdPlain } from '../markdown.js';
import { commonReasons } from '../run/settle.js';
import { usageLine } from './arguments.js';

/** What `--help` prints, made from the contract. */
export function commandHelp(contract: Contract): string {
  const options = Object.entries(contract.inputs).map(([name, spec]) => [optionForm(name, spec), optionText(spec)] as const);
  const common = [
    ['--json', 'Print the result as one line of JSON.'],
    ['-h, --help', 'Print this.'],
  ] as const;
  const aliases = contract.cli?.aliases ?? [];
  return [
    contract.description,
    '',
    `Usage: ${usageLine(contract)}${aliases.length > 0 ? `   (also: ${aliases.join(', ')})` : ''}`,
    '',
    'Options:',
    ...columns([...options, ...common]),
    '',
    'Exit codes: 0 pass or skipped, 1 fail, 2 error (inputs, configuration, cancelled), 3 hold (undecided).',
    '',
    'Reasons:',
    ...columns(Object.entries({ ...contract.reasons, ...commonReasons })),
    '',
  ].join('\n');
}

function optionForm(name: string, spec: InputSpec): string {
  if (spec.kind === 'boolean') return `--${spec.default === 'true' ? '[no-]' : ''}${name}`;
  return `--${name} ${spec.kind === 'choice' ? (spec.values ?? []).join('|') : spec.kind.toUpperCase()}`;
}

function optionText(spec: InputSpec): string {
  const { allowed } = allowedBy(spec);
  const facts = [
    spec.required ? 'Required.' : spec.default === undefined ? '' : `Default: ${spec.default}.`,
    spec.kind === 'list' ? 'May be repeated.' : '',
    allowed && !['choice', 'boolean'].includes(spec.kind) ? `Takes ${allowed}.` : '',
    spec.kind === 'boolean' ? '' : `Example: ${spec.example.replace(/\s*\n\s*/g, ', ')}.`,
  ];
  return [spec.description, ...facts].filter(Boolean).join(' ');
}

/** Two columns; a long left side stands on a line of its own. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(28, Math.max(...rows.map(([left]) => left.length)));
  return rows.flatMap(([left, right]) => {
    const [first = '', ...others] = wrap(mdPlain(right), 100 - width);
    const indented = others.map((line) => `${' '.repeat(width + 4)}${line}`);
    if (left.length > width) return [`  ${left}`, `${' '.repeat(width + 4)}${first}`, ...indented];
    return [`  ${left.padEnd(width)}  ${first}`, ...indented];
  });
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
