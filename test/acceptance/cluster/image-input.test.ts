import { expect, it } from '@jest/globals';
import type { Context, Inputs } from '@slipway/core';
import type { contract } from '../../../actions/canary-deploy/contract.js';
import { action } from '../../../actions/canary-deploy/main.js';

it.each(['start', 'promote'] as const)('%s refuses what is no image, before anything is read or touched', async (command) => {
  const touched: (string | symbol)[] = [];
  const context = new Proxy({ holder: 'acme/shop/77/1/canary' } as Context, {
    get: (known, name) => {
      if (!(name in known)) touched.push(name);
      return Reflect.get(known, name);
    },
  });
  const inputs = { command, image: 'not an image', 'on-cancel': 'rollback', config: 'none.yml' } as Inputs<typeof contract>;
  await expect(action.main(inputs, context)).rejects.toMatchObject({
    name: 'UsageError',
    problems: [{ where: 'image', message: '"not an image" has white space in it', example: 'ghcr.io/acme/shop:v1.4.0' }],
  });
  expect(touched).toEqual([]);
});
