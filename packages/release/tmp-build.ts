import { bundleFamily } from '../../scripts/build/family-bundle.js';
await bundleFamily('gates', process.argv[2] as string);
