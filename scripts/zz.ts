import { exitCode } from '@slipway/core';
import { parseWorkflow } from '@actions/workflow-parser';
import * as cmd from '@actions/core/lib/command';
import * as yaml from 'yaml';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
console.log(process.version, exitCode('hold'), typeof parseWorkflow, typeof cmd.issueCommand, import.meta.url, typeof yaml.parse, typeof KubeConfig, process.argv.slice(2));
process.on('SIGINT', () => { console.log('got int'); process.exit(7); });
if (process.argv[2] === 'wait') setTimeout(() => {}, 5000); else if (process.argv[2] === 'throw') throw new Error('x');
