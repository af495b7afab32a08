import { appendFileSync } from 'node:fs';

const input = (name) => (process.env[`INPUT_${name.toUpperCase()}`] ?? '').trim();
const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run, GITHUB_OUTPUT: output = '' } = process.env;

/** What comes before the environment and the time it took, and what comes after. */
const words = {
  started: ['is on its way to', ''],
  completed: ['is released to all users of', ''],
  'rolled-back': ['did not get through and was rolled back on', ''],
  'nothing-moved': ['did not get through on', ': no user had been moved to it'],
  'rollback-failed': ['did not get through on', ', and the ROLLBACK FAILED: see the run, and who serves users'],
  failed: ['did not get through on', ''],
};

const now = Math.floor(Date.now() / 1000);
const event = input('event');
const seconds = /^\d+$/.test(input('started-at')) ? now - Number(input('started-at')) : undefined;
const runUrl = `${server}/${repository}/actions/runs/${run}`;
const facts = { event, service: input('service'), version: input('version'), environment: input('environment'), seconds, runUrl };

function sentence() {
  const after = seconds === undefined ? '' : ` after ${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const [before, behind] = words[event] ?? [event, ''];
  return `${facts.service} ${facts.version} ${before} ${facts.environment}${after}${behind}.`;
}

/** https://docs.slack.dev/messaging/formatting-message-text#escaping */
const slackText = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Posts JSON; a note that cannot be sent is a warning, never a reason to stop or to roll back. The URL is a secret: it is not printed. */
async function post(name, url, body) {
  if (url === '') return;
  try {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal: AbortSignal.timeout(10_000) });
    if (!response.ok) console.log(`::warning title=Note not sent::${name} answered with status ${response.status}.`);
  } catch (error) {
    console.log(`::warning title=Note not sent::${name} could not be reached (${error.cause?.code ?? error.name}).`);
  }
}

appendFileSync(output, `at=${now}\n`);
// One line whatever it holds, and never at the start of it: nothing here can be read as a command.
console.log(`Note: ${sentence().replaceAll(/[\r\n]+/g, ' ')}`);
await Promise.all([
  post('Slack', input('slack-webhook-url'), { text: `${slackText(sentence())} <${runUrl}|Run>` }),
  post('The notify-url', input('notify-url'), { text: sentence(), ...facts }),
]);
