import { maxVersionLength, parseVersion } from './version-grammar.js';

/**
 * The version that was most likely meant: `v01.2` → `v1.2.0`, `1.2.3-RC1` → `1.2.3-rc.1`, full-width digits and invisible
 * characters made plain. Undefined when that still is none, as for `v1.0.0$(id)`: what was not understood is not guessed at.
 */
export function suggestVersion(text: string, tagPrefix: string): string | undefined {
  if (text.length > maxVersionLength) return undefined;
  const plain = text
    .normalize('NFKC')
    .replace(/[\s\p{Cf}\p{Cc}]/gu, '')
    .replace(/^refs\/tags\//, '');
  const prefix = plain.toLowerCase().startsWith(tagPrefix.toLowerCase()) ? tagPrefix : '';
  const body = plain.slice(prefix.length).toLowerCase();
  const split = body.search(/[-+]/);
  const core = split < 0 ? body : body.slice(0, split);
  const rest = split < 0 ? '' : body.slice(split);
  const candidate = prefix + threeNumbers(core) + numberedStage(rest);
  return parseVersion(candidate, { tagPrefix }).ok ? candidate : undefined;
}

function threeNumbers(core: string): string {
  const parts = core.split('.').map((part) => part.replace(/^0+(?=\d)/, ''));
  while (parts.length < 3) parts.push('0');
  return parts.join('.');
}

function numberedStage(rest: string): string {
  return rest.replace(/^-(alpha|beta|rc)[.-]?0*(\d*)/, (_, stage: string, number: string) => `-${stage}.${number || '1'}`);
}
