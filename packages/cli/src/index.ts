export { runCommandLine } from './command-line.js';
export { rootMain, rootPost } from './root-action.js';
