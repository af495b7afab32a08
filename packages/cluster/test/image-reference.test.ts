import { describe, expect, it } from '@jest/globals';
import { exampleImage, imageProblem } from '../src/workloads/image-reference.js';

const digest = `sha256:${'4b'.repeat(32)}`;

describe('an image reference', () => {
  it.each([
    exampleImage,
    'nginx',
    'library/nginx:1.27',
    'localhost/shop',
    'localhost:5000/shop:v1',
    'registry.example:5000/a/b__c/d-e--f:v1.0_x',
    'Registry.Example/shop',
    '[::1]:5000/shop:v1',
    '10.0.0.7/shop:v1',
    `ghcr.io/acme/shop@${digest}`,
    `ghcr.io/acme/shop:v1@${digest}`,
  ])('%s is one', (image) => expect(imageProblem(image)).toBeUndefined());

  it.each([
    ['not an image', /white space/],
    ['', /no repository/],
    [':v1', /no repository/],
    ['https://ghcr.io/acme/shop:v1', /URL/],
    ['ghcr.io/Acme/shop:v1', /"Acme".*lower case/],
    ['ghcr.io//shop', /empty part/],
    ['ghcr.io/acme/', /empty part/],
    ['ghcr.io/acme/shop___x', /"shop___x"/],
    ['ghcr.io/acme/-shop', /"-shop"/],
    ['ghcr.io:port/shop', /registry: "ghcr.io:port"/],
    ['-x.io/shop', /registry/],
    ['shop:', /tag: ""/],
    ['shop:.v1', /tag/],
    [`shop:${'v'.repeat(129)}`, /tag/],
    ['shop@sha256:12', /digest/],
    ['shop@', /digest/],
    [`shop@${digest.toUpperCase()}`, /digest/],
    [`shop@${digest}@${digest}`, /more than one/],
    ['a'.repeat(256), /256 characters/],
    ['a'.repeat(513), /too long/],
    ['shop:v1\n', /white space/],
    ['shop:$(id)', /tag/],
  ])('%j is none', (image, words) => expect(imageProblem(image)).toMatch(words));

  it('is looked at in linear time', () => {
    const began = performance.now();
    for (const part of ['a-', 'a_', 'a.', '-', '_']) imageProblem(`${part.repeat(127)}!`);
    for (const part of ['a/', 'a-', ':', '@', '[:']) imageProblem(`${part.repeat(250)}!`);
    expect(performance.now() - began).toBeLessThan(50);
  });
});
