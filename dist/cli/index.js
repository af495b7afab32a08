// packages/core/src/cancellation.ts
var CancelledError = class extends Error {
  constructor(signal) {
    super(`cancelled by ${signal}`);
    this.signal = signal;
  }
  signal;
  name = "CancelledError";
};
function watchSignals(source, onImpatience) {
  const controller = new AbortController();
  const listener = (name) => {
    if (!controller.signal.aborted) controller.abort(new CancelledError(name));
    else if (name === "SIGINT") onImpatience();
  };
  source.on("SIGINT", listener);
  source.on("SIGTERM", listener);
  return {
    signal: controller.signal,
    stop() {
      source.off("SIGINT", listener);
      source.off("SIGTERM", listener);
    }
  };
}
function isCancellation(error, signal) {
  if (!signal.aborted) return false;
  for (let current = error, depth = 0; current !== void 0 && current !== null && depth < 20; depth++) {
    if (current === signal.reason || current instanceof Error && current.name === "AbortError") return true;
    current = current instanceof Error ? current.cause : void 0;
  }
  return false;
}

// packages/core/src/did-you-mean.ts
function didYouMean(typed, candidates) {
  const wanted = typed.toLowerCase();
  let nearest;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const limit = Math.max(1, Math.floor(Math.max(wanted.length, candidate.length) / 3));
    if (Math.abs(wanted.length - candidate.length) > limit) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance <= limit && distance < least) {
      nearest = candidate;
      least = distance;
    }
  }
  return nearest;
}
function suggestion(typed, candidates) {
  const nearest = didYouMean(typed, candidates);
  return nearest === void 0 ? "" : `; did you mean "${nearest}"?`;
}
function editDistance(a, b) {
  let beforeLast = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let least = Math.min(at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) least = Math.min(least, at(beforeLast, column - 2) + 1);
      current.push(least);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}
function at(row, column) {
  return row[column] ?? Number.POSITIVE_INFINITY;
}

// packages/core/src/errors.ts
var UsageError = class extends Error {
  constructor(problems, options) {
    super(problems.map(({ where, message }) => where === "" ? message : `${where}: ${message}`).join("; "), options);
    this.problems = problems;
  }
  problems;
  name = "UsageError";
};
var OperationError = class extends Error {
  name = "OperationError";
  /** One of the reasons of the running action's contract, e.g. `FORBIDDEN`. */
  reason;
  next;
  details;
  constructor(message, options) {
    super(message, options.cause === void 0 ? void 0 : { cause: options.cause });
    this.reason = options.reason;
    this.next = options.next ?? [];
    this.details = options.details ?? {};
  }
};

// packages/core/src/duration.ts
var units = { d: 864e5, h: 36e5, m: 6e4, s: 1e3, ms: 1 };
var pattern = /^(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/;
var durationForm = "a number with its unit: 500ms, 90s, 5m, 1h30m or 2d";
function parseDuration(text) {
  if (text === "0") return 0;
  const match = text.length > 0 && text.length <= 40 ? pattern.exec(text) : null;
  if (!match) return void 0;
  const total = Object.values(units).reduce((sum, unit, index) => sum + Number(match[index + 1] ?? 0) * unit, 0);
  return total <= 3650 * units.d ? Math.round(total) : void 0;
}
function formatDuration(milliseconds) {
  if (milliseconds < 0) return `-${formatDuration(-milliseconds)}`;
  let rest = milliseconds >= 1e4 ? Math.round(milliseconds / 1e3) * 1e3 : Math.round(milliseconds);
  let text = "";
  for (const [unit, size] of Object.entries(units)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text || "0s";
}

// packages/core/src/percent.ts
var decimal = /^(\d+(?:\.\d+)?(?:e-?\d{1,3})?)(\s*%)?$/i;
var percentForm = "a percentage such as 0.5%, or a fraction below 1 such as 0.005";
function parsePercent(text) {
  const match = decimal.exec(text);
  if (!match) return void 0;
  const value = Number(match[1]);
  if (match[2] === void 0) return value < 1 ? value : void 0;
  const [digits, exponent = "0"] = (match[1] ?? "").toLowerCase().split("e");
  const fraction = Number(`${digits}e${Number(exponent) - 2}`);
  return Number.isFinite(fraction) ? fraction : void 0;
}
function formatPercent(fraction) {
  const percent = fraction * 100;
  const rounded = Math.abs(percent) < 1 ? Number(percent.toPrecision(3)) : Number(percent.toFixed(2));
  return `${rounded}%`;
}

// packages/core/src/problems.ts
function describeProblem(problem) {
  const place2 = problemPlace(problem);
  return `${place2 ? `${place2}: ` : ""}${problemSentence(problem)}`;
}
function problemSentence({ message, where, allowed, example }) {
  const hints = [allowed && `allowed: ${allowed}`, example && `example: ${example}`].filter(Boolean);
  return `${where ? `${where}: ` : ""}${message}${hints.length > 0 ? ` (${hints.join("; ")})` : ""}`;
}
function problemPlace({ file, line, column }) {
  return file === void 0 ? "" : [file, line, column].filter((part) => part !== void 0).join(":");
}
function quoteValue(value) {
  const text = typeof value === "string" ? JSON.stringify(value) : JSON.stringify(value) ?? String(value);
  return text.length <= 80 ? text : `${text.slice(0, 60)}\u2026 (${text.length} characters)`;
}

// packages/core/src/inputs.ts
function inputsFromEnvironment(contract6, env) {
  return Object.fromEntries(Object.keys(contract6.inputs).map((name) => [name, env[inputVariable(name)]]));
}
function inputVariable(name) {
  return `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`;
}
function parseInputs(contract6, raw) {
  const problems = [];
  const values = {};
  for (const [name, spec] of Object.entries(contract6.inputs)) {
    const parsed = parseInput(spec, raw[name]);
    if ("problem" in parsed) problems.push({ where: name, example: spec.example, ...parsed.problem });
    else values[name] = parsed.value;
  }
  if (problems.length > 0) throw new UsageError(problems);
  return values;
}
function secretValues(contract6, raw) {
  return Object.entries(contract6.inputs).flatMap(([name, spec]) => spec.secret && raw[name]?.trim() ? [raw[name]] : []);
}
function parseInput(spec, given) {
  const text = given === void 0 || given.trim() === "" ? spec.default : given;
  if (text === void 0) {
    return spec.required ? { problem: { message: `is required: ${spec.description}`, ...allowedBy(spec) } } : { value: void 0 };
  }
  const parsed = spec.kind === "string" ? { value: text.replace(/[\r\n]+$/, "") } : parsers[spec.kind](text.trim(), spec);
  if ("problem" in parsed && spec.secret)
    return { problem: { ...parsed.problem, message: "has a wrong value (not shown: it is a secret)" } };
  return parsed;
}
var parsers = {
  integer: (text, spec) => within(spec, text, /^[-+]?\d+$/.test(text) ? safeInteger(Number(text)) : void 0, "a whole number"),
  percent: (text, spec) => within(spec, text, parsePercent(text), "a percentage"),
  duration: (text, spec) => within(spec, text, parseDuration(text), "a duration"),
  boolean: parseBoolean,
  choice: parseChoice,
  list: (text) => ({ value: text.split(/[\r\n,]+/).flatMap((item) => item.trim() || []) }),
  json: parseJson
};
function within(spec, text, value, what) {
  if (value === void 0) return { problem: { message: `${quoteValue(text)} is not ${what}`, ...allowedBy(spec) } };
  if (value < (spec.min ?? Number.NEGATIVE_INFINITY)) return { problem: { message: `${text} is too small`, ...allowedBy(spec) } };
  if (value > (spec.max ?? Number.POSITIVE_INFINITY)) return { problem: { message: `${text} is too large`, ...allowedBy(spec) } };
  return { value };
}
function safeInteger(value) {
  return Number.isSafeInteger(value) ? value : void 0;
}
function parseBoolean(text, spec) {
  if (/^(true|True|TRUE)$/.test(text)) return { value: true };
  if (/^(false|False|FALSE)$/.test(text)) return { value: false };
  return { problem: { message: `${quoteValue(text)} is neither true nor false`, ...allowedBy(spec) } };
}
function parseChoice(text, spec) {
  const values = spec.values ?? [];
  if (values.includes(text)) return { value: text };
  return { problem: { message: `${quoteValue(text)} is not known${suggestion(text, values)}`, ...allowedBy(spec) } };
}
function parseJson(text) {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: { message: `${quoteValue(text)} is not JSON: ${error instanceof Error ? error.message : error}`, allowed: "JSON" } };
  }
}
function allowedBy(spec) {
  switch (spec.kind) {
    case "integer":
      return { allowed: `a whole number${bounds(spec, String)}` };
    case "percent":
      return { allowed: `${percentForm}${bounds(spec, formatPercent)}` };
    case "duration":
      return { allowed: `${durationForm}${bounds(spec, formatDuration)}` };
    case "boolean":
      return { allowed: "true or false" };
    case "choice":
      return { allowed: (spec.values ?? []).join(", ") };
    default:
      return {};
  }
}
function bounds({ min, max }, format) {
  if (min !== void 0 && max !== void 0) return ` from ${format(min)} to ${format(max)}`;
  if (min !== void 0) return `, at least ${format(min)}`;
  if (max !== void 0) return `, at most ${format(max)}`;
  return "";
}

// packages/core/src/cli/arguments.ts
function positionalForms({ cli, inputs }) {
  return (cli?.positionals ?? []).map((name) => {
    const spec = inputs[name];
    const label = `${name.toUpperCase()}${spec?.kind === "list" ? " \u2026" : ""}`;
    return spec?.required ? label : `[${label}]`;
  });
}

// packages/core/src/markdown.ts
function mdText(text) {
  return oneLine(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/[\\`*_[\]|~$]/g, "\\$&").replace(/^[-+#=]/, "\\$&").replace(/^(\d{1,9})([.)])/, "$1\\$2").replace(/@(?=\w)/g, "@<!-- -->").replace(/\bwww\./gi, (start) => `${start.slice(0, -1)}\\.`).replace(/:(?=\/\/)/g, "&#58;");
}
function oneLine(text) {
  return text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
}

// packages/core/src/run/settle.ts
async function settle(contract6, handler, raw, context, wordProblem = (problem) => problem) {
  const startedAt = context.clock.now();
  const settled = await attempt(contract6, handler, raw, context, wordProblem);
  const times = { startedAt: new Date(startedAt).toISOString(), finishedAt: new Date(context.clock.now()).toISOString() };
  const { outcome, reason, summary: summary2, next = [], details = {} } = settled.ending;
  const result = { schema: 1, action: contract6.name, outcome, reason, summary: summary2, next, details, ...times };
  return "error" in settled ? { result, error: settled.error } : { result, ending: settled.ending };
}
async function attempt(contract6, handler, raw, context, wordProblem) {
  try {
    return { ending: await handler(parseInputs(contract6, raw), context) };
  } catch (thrown) {
    const error = thrown instanceof UsageError ? new UsageError(thrown.problems.map(wordProblem), { cause: thrown.cause }) : thrown;
    return { ending: endingOf(error, context.signal), error };
  }
}
function endingOf(error, signal) {
  if (isCancellation(error, signal)) return cancelled(signal);
  if (error instanceof UsageError) return misused(error.problems);
  if (error instanceof OperationError) {
    const { reason, message, next, details } = error;
    return { outcome: "fail", reason, summary: message, next: [...next], details: { ...details } };
  }
  return {
    outcome: "error",
    reason: "DEFECT",
    summary: `Slipway failed: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`,
    next: ["This is a defect of Slipway, not of your release: report it with the stack in the log."]
  };
}
function cancelled(signal) {
  const by = signal.reason instanceof CancelledError ? ` by ${signal.reason.signal}` : "";
  return { outcome: "error", reason: "CANCELLED", summary: `The run was cancelled${by} before it came to a decision.` };
}
function misused(problems) {
  const sentences = problems.map(describeProblem);
  const summary2 = sentences.length === 1 ? sentences[0] ?? "" : `${sentences.length} problems: ${sentences.join("; ")}`;
  return { outcome: "error", reason: "USAGE", summary: summary2, next: problems.map(advice), details: { problems } };
}
function advice({ where, file, allowed, example }) {
  const place2 = file === void 0 ? where : where === "" ? file : `${where} in ${file}`;
  if (example !== void 0) return `Correct ${place2}, e.g. ${example}`;
  return allowed === void 0 ? `Correct ${place2}` : `Correct ${place2}: ${allowed}`;
}

// packages/core/src/result.ts
function exitCode(outcome) {
  switch (outcome) {
    case "pass":
    case "skipped":
      return 0;
    case "fail":
      return 1;
    case "error":
      return 2;
    case "hold":
      return 3;
  }
}

// packages/core/src/run/host.ts
import { hostname, userInfo } from "node:os";

// packages/core/src/clock.ts
var longestTimer = 2 ** 31 - 1;
var systemClock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    let left = ms;
    for (; left > longestTimer; left -= longestTimer) await timer(longestTimer, signal);
    await timer(left, signal);
  }
};
function timer(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(set);
      reject(signal?.reason);
    };
    const set = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

// packages/core/src/run/host.ts
function processHost() {
  return {
    env: process.env,
    cwd: workingDirectory(),
    clock: systemClock,
    signals: process,
    stdout: process.stdout,
    stderr: process.stderr,
    identity: `${userName()}@${hostname()}/${process.pid}`,
    exit: (code) => process.exit(code)
  };
}
async function endProcess(host, code) {
  await Promise.all([flush(host.stdout), flush(host.stderr)]);
  host.exit(code);
}
function ignoreBrokenPipes(host) {
  for (const stream of [host.stdout, host.stderr]) stream.on("error", () => {
  });
}
function flush(stream) {
  return new Promise((resolve) => stream.write("", () => resolve()));
}
function workingDirectory() {
  try {
    return process.cwd();
  } catch {
    process.stderr.write("slipway: the working directory does not exist any more; change into one that does and run this again\n");
    return process.exit(2);
  }
}
function userName() {
  try {
    return userInfo().username;
  } catch {
    return "unknown";
  }
}

// packages/core/src/run/make-context.ts
function makeContext(host, log, signal, state) {
  return {
    log,
    clock: host.clock,
    signal,
    env: host.env,
    cwd: host.cwd,
    runUrl: runUrl(host.env),
    holder: holder(host),
    state,
    mask: (value) => log.mask(value),
    progress: (text) => log.progress(text)
  };
}
function runUrl(env) {
  const { GITHUB_SERVER_URL: server = "https://github.com", GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = env;
  if (!repository || !run) return void 0;
  const attempt2 = env.GITHUB_RUN_ATTEMPT ? `/attempts/${env.GITHUB_RUN_ATTEMPT}` : "";
  return `${server}/${repository}/actions/runs/${run}${attempt2}`;
}
function holder({ env, identity }) {
  const { GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run, GITHUB_RUN_ATTEMPT: attempt2 = "1", GITHUB_JOB: job = "job" } = env;
  return repository && run ? [repository, run, attempt2, job].join("/") : identity;
}

// packages/core/src/runner/safe-text.ts
var lineBreak = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/;
var commandStart = /^([\s\p{Z}\p{C}\p{DI}]*):(?=[\p{C}\p{DI}]*:)/u;
var oldCommand = /#([\p{C}\p{DI}]*)#([\p{C}\p{DI}]*)\[/gu;
var unseen = /[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g;
function safeLines(text) {
  return text.split(lineBreak).map(safeLine);
}
function safeText(text) {
  return safeLine(text.split(lineBreak).join("\\n"));
}
function safeJson(value) {
  return safeJsonText(JSON.stringify(value));
}
function safeJsonText(json) {
  return json.replace(oldCommand, (match) => match.replace(/#/g, "\\u0023")).replace(/[\u007f-\u009f\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
function safeLine(line) {
  return line.replace(commandStart, "$1\\:").replace(oldCommand, "#$1#$2\\[").replace(unseen, showCode);
}
function showCode(char) {
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}

// packages/core/src/run/report.ts
var resultLimit = 256 * 1024;
var icons = { pass: "\u2705", fail: "\u274C", hold: "\u23F8\uFE0F", skipped: "\u23ED\uFE0F", error: "\u26A0\uFE0F" };
function summaryMarkdown(result, report) {
  const parts = [
    `### ${icons[result.outcome]} ${mdText(result.action)}: ${result.outcome} (${mdText(result.reason)})`,
    mdText(result.summary),
    nextMarkdown(result.next),
    report?.trim()
  ];
  return `${parts.filter(Boolean).join("\n\n")}
`;
}
function nextMarkdown(next) {
  return next.length === 0 ? "" : `**Next**

${next.map((step) => `- ${mdText(step)}`).join("\n")}`;
}
function outputValues(contract6, { result, ending }) {
  const own = Object.keys(contract6.outputs).flatMap((name) => {
    const value = ending?.outputs?.[name];
    return value === void 0 ? [] : [[name, typeof value === "string" ? value : JSON.stringify(value)]];
  });
  return { ...Object.fromEntries(own), outcome: result.outcome, reason: result.reason, result: resultJson(result) };
}
function resultJson(result) {
  const json = safeJson(result);
  return Buffer.byteLength(json) <= resultLimit ? json : safeJson({ ...result, details: { omitted: "too large for an output" } });
}
function logEnding(log, { result, error }) {
  if (result.reason === "DEFECT") log.info(stackOf(error));
  else if (error !== void 0 && !isToldByProblems(error)) for (const line of causesOf(error)) log.info(line);
  const problems = error instanceof UsageError ? error.problems : [];
  const [only, ...others] = problems;
  if (others.length > 0) for (const problem of problems) log.error(problemSentence(problem), placeOf(problem));
  const single = only !== void 0 && others.length === 0;
  conclude(log, result, single ? { text: problemSentence(only), at: placeOf(only) } : { text: headline(result, problems.length), at: {} });
  for (const step of result.next) log.info(`Next: ${step}`);
}
function conclude(log, { action, outcome, reason }, { text, at: at2 }) {
  const kind = annotationOf(outcome);
  if (kind) log.conclude(kind, `${text} [${reason}]`, { title: action, ...at2 });
  else log.info(`${text} [${reason}]`);
}
function headline(result, problems) {
  return problems > 1 ? `${problems} problems, listed above; nothing was done` : result.summary;
}
function annotationOf(outcome) {
  if (outcome === "fail" || outcome === "error") return "error";
  return outcome === "hold" ? "warning" : void 0;
}
function placeOf({ file, line, column }) {
  return { ...file === void 0 ? {} : { file }, ...line === void 0 ? {} : { line }, ...column === void 0 ? {} : { column } };
}
function stackOf(error) {
  const first = error instanceof Error ? error.stack ?? String(error) : `thrown: ${String(error)}`;
  return [first, ...chain(error).map((cause) => `Caused by: ${cause instanceof Error ? cause.stack ?? cause : String(cause)}`)].join(
    "\n"
  );
}
function causesOf(error) {
  return chain(error).map((cause) => `Caused by: ${cause instanceof Error ? cause.message || cause.name : String(cause)}`);
}
function isToldByProblems(error) {
  const cause = error instanceof UsageError ? error.cause : void 0;
  return typeof cause === "object" && cause !== null && "syscall" in cause;
}
function chain(error) {
  const causes = [];
  for (let current = causeOf(error); current !== void 0 && causes.length < 10; current = causeOf(current)) causes.push(current);
  return causes;
}
function causeOf(error) {
  return error instanceof Error ? error.cause : void 0;
}

// node_modules/@actions/core/lib/command.js
import * as os from "os";

// node_modules/@actions/core/lib/utils.js
function toCommandValue(input) {
  if (input === null || input === void 0) {
    return "";
  } else if (typeof input === "string" || input instanceof String) {
    return input;
  }
  return JSON.stringify(input);
}

// node_modules/@actions/core/lib/command.js
function issueCommand(command, properties2, message) {
  const cmd = new Command(command, properties2, message);
  process.stdout.write(cmd.toString() + os.EOL);
}
var CMD_STRING = "::";
var Command = class {
  constructor(command, properties2, message) {
    if (!command) {
      command = "missing.command";
    }
    this.command = command;
    this.properties = properties2;
    this.message = message;
  }
  toString() {
    let cmdStr = CMD_STRING + this.command;
    if (this.properties && Object.keys(this.properties).length > 0) {
      cmdStr += " ";
      let first = true;
      for (const key in this.properties) {
        if (this.properties.hasOwnProperty(key)) {
          const val = this.properties[key];
          if (val) {
            if (first) {
              first = false;
            } else {
              cmdStr += ",";
            }
            cmdStr += `${key}=${escapeProperty(val)}`;
          }
        }
      }
    }
    cmdStr += `${CMD_STRING}${escapeData(this.message)}`;
    return cmdStr;
  }
};
function escapeData(s) {
  return toCommandValue(s).replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
}
function escapeProperty(s) {
  return toCommandValue(s).replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A").replace(/:/g, "%3A").replace(/,/g, "%2C");
}

// packages/core/src/runner/annotations.ts
var kept = 10;
var AnnotationQuota = class {
  used = { notice: 0, warning: 0, error: 0 };
  /** Whether one more may be issued; counts it. */
  take(kind, options = {}) {
    if (options.last) return true;
    this.used[kind] += 1;
    return this.used[kind] < kept;
  }
  /** How many of each kind were refused. */
  refused() {
    const over = Object.entries(this.used).map(([kind, used]) => [kind, used - (kept - 1)]);
    return Object.fromEntries(over.filter(([, count]) => count > 0));
  }
};

// packages/core/src/runner/log.ts
function createLog(target) {
  const command = target.command ?? issueCommand;
  const quota = new AnnotationQuota();
  let lastProgress;
  const print = (text) => {
    endProgress();
    for (const line of safeLines(text)) target.line(line);
  };
  const annotate = (kind, text, at2 = {}, last = false) => {
    endProgress();
    if (!target.runner) return print(`${kind}: ${place(at2)}${text}`);
    if (!quota.take(kind, { last })) return print(`${kind}: ${place(at2)}${text}`);
    command(kind, properties(at2), safeLines(text).join("\n"));
  };
  const endProgress = () => {
    if (lastProgress !== void 0 && target.rewrite) target.line("");
    lastProgress = void 0;
  };
  return {
    debug(text) {
      if (target.runner) for (const line of safeLines(text)) command("debug", {}, line);
      else if (target.verbose) print(`debug: ${text}`);
    },
    info: print,
    notice: (text, at2) => annotate("notice", text, at2),
    warning: (text, at2) => annotate("warning", text, at2),
    error: (text, at2) => annotate("error", text, at2),
    conclude: (kind, text, at2) => annotate(kind, text, at2, true),
    async group(title, body) {
      endProgress();
      if (target.runner) command("group", {}, safeText(title));
      else print(title);
      try {
        return await body();
      } finally {
        endProgress();
        if (target.runner) command("endgroup", {}, "");
      }
    },
    progress(text) {
      const line = safeText(text);
      if (line === lastProgress) return;
      if (target.rewrite) target.rewrite(line);
      else target.line(line);
      lastProgress = line;
    },
    mask(value) {
      if (!target.runner) return;
      for (const line of /* @__PURE__ */ new Set([value, ...value.split(/\r\n|[\n\r]/)])) if (line.trim() !== "") command("add-mask", {}, line);
    },
    close() {
      endProgress();
      const refused = Object.entries(quota.refused()).map(([kind, count]) => `${count} \xD7 ${kind}`);
      if (refused.length > 0) print(`GitHub keeps ten annotations of a kind; in this log only: ${refused.join(", ")}.`);
    }
  };
}
function properties(at2) {
  const given = { title: at2.title && safeText(at2.title), file: at2.file && safeText(at2.file), line: at2.line, col: at2.column };
  return Object.fromEntries(Object.entries(given).filter((entry) => Boolean(entry[1])));
}
function place({ file, line, column }) {
  return file === void 0 ? "" : `${[file, line, column].filter((part) => part !== void 0).join(":")}: `;
}

// packages/core/src/contract.ts
function defineContract(contract6) {
  return contract6;
}

// packages/core/src/runner/files.ts
import { appendFileSync, statSync } from "node:fs";
import { EOL as EOL3 } from "node:os";

// node_modules/@actions/core/lib/file-command.js
import * as crypto from "crypto";
import * as os2 from "os";
function prepareKeyValueMessage(key, value) {
  const delimiter = `ghadelimiter_${crypto.randomUUID()}`;
  const convertedValue = toCommandValue(value);
  if (key.includes(delimiter)) {
    throw new Error(`Unexpected input: name should not contain the delimiter "${delimiter}"`);
  }
  if (convertedValue.includes(delimiter)) {
    throw new Error(`Unexpected input: value should not contain the delimiter "${delimiter}"`);
  }
  return `${key}<<${delimiter}${os2.EOL}${convertedValue}${os2.EOL}${delimiter}`;
}

// packages/core/src/runner/files.ts
var summaryLimit = 1024 * 1024;
var longestFence = 64;
var trimNote = "\n\n*The rest was left out: GitHub takes at most 1 MiB of summary per step.*\n";
function writeOutputs(env, values) {
  append(env.GITHUB_OUTPUT, values);
}
function saveState(env, name, value) {
  append(env.GITHUB_STATE, { [name]: value });
}
function savedState(env, name) {
  return env[`STATE_${name}`];
}
function writeSummary(env, markdown) {
  const file = env.GITHUB_STEP_SUMMARY;
  if (!file) return;
  const taken = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  appendFileSync(file, trimToBytes(`${markdown}
`, summaryLimit - taken - 1));
}
function trimToBytes(text, limit) {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  const room = limit - Buffer.byteLength(trimNote) - longestFence;
  if (room < 0) return "";
  const end = bytes.lastIndexOf("\n", room - 1);
  const kept2 = end < 0 ? "" : bytes.subarray(0, end).toString();
  return `${kept2}${closeFence(kept2)}${trimNote}`;
}
function closeFence(markdown) {
  let open;
  for (const [, fence = ""] of markdown.matchAll(/^ {0,3}(`{3,}|~{3,})/gm)) {
    if (open === void 0) open = fence;
    else if (fence.startsWith(open)) open = void 0;
  }
  return open === void 0 ? "" : `
${open}`.slice(0, longestFence);
}
function append(file, values) {
  if (!file) return;
  const text = Object.entries(values).map(([name, value]) => prepareKeyValueMessage(name, value) + EOL3);
  if (text.length > 0) appendFileSync(file, text.join(""));
}

// packages/core/src/run/run-action.ts
async function runMain(action, host = processHost()) {
  const { contract: contract6 } = action;
  await inRunner(host, contract6, async (raw, context, log) => {
    const settled = await settle(contract6, action.main, raw, context);
    logEnding(log, settled);
    keep(log, "outputs", () => writeOutputs(host.env, outputValues(contract6, settled)));
    keep(log, "summary", () => writeSummary(host.env, summaryMarkdown(settled.result, settled.ending?.report)));
    return exitCode(settled.result.outcome);
  });
}
async function inRunner(host, contract6, body) {
  ignoreBrokenPipes(host);
  const log = runnerLog(host);
  const raw = inputsFromEnvironment(contract6, host.env);
  for (const secret of secretValues(contract6, raw)) log.mask(secret);
  const { signal, stop } = watchSignals(host.signals, () => host.exit(130));
  const state = {
    get: (name) => savedState(host.env, name),
    set: (name, value) => saveState(host.env, name, value)
  };
  const code = await body(raw, makeContext(host, log, signal, state), log);
  log.close();
  stop();
  await endProcess(host, code);
}
function runnerLog({ env, stdout, stderr }) {
  const runner = env.GITHUB_ACTIONS === "true";
  return createLog({
    runner,
    verbose: env.RUNNER_DEBUG === "1",
    line: (text) => void (runner ? stdout : stderr).write(`${text}
`)
  });
}
function keep(log, what, write) {
  try {
    write();
  } catch (error) {
    log.warning(`The ${what} could not be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

// packages/cli/src/commands.ts
function findCommand(name, contracts2) {
  for (const contract6 of contracts2) {
    if ([contract6.name, ...contract6.cli?.aliases ?? []].includes(name)) return { contract: contract6, given: [] };
    const shortcuts = contract6.cli?.shortcuts ?? {};
    if (Object.hasOwn(shortcuts, name)) return { contract: contract6, given: shortcuts[name] ?? [] };
  }
  return void 0;
}
function commandNames(contract6) {
  return [contract6.name, ...contract6.cli?.aliases ?? [], ...Object.keys(contract6.cli?.shortcuts ?? {})];
}

// packages/cluster/src/reasons.ts
var clusterReasons = {
  UNAUTHENTICATED: "The API server does not accept the credentials, or the kubeconfig\u2019s login program failed.",
  FORBIDDEN: "The kubeconfig\u2019s user lacks a permission; the message has the RBAC rule to add.",
  NOT_FOUND: "An object that is needed does not exist.",
  CONFLICT: "Somebody else changed the object meanwhile; nothing was overwritten.",
  ALREADY_EXISTS: "An object of that name exists already.",
  INVALID: "The API server refused the object as invalid; the message has its causes.",
  API_UNAVAILABLE: "The API server did not answer, or not usefully, after all retries.",
  WORKLOAD_NOT_FOUND: "There is no Deployment of that name.",
  WORKLOAD_PAUSED: "The Deployment is paused.",
  WORKLOAD_CHANGED: "Somebody else set another image while ours was getting ready.",
  ZERO_REPLICAS: "The Deployment runs no pods, so there is no baseline.",
  CONTAINER_AMBIGUOUS: "The Deployment has several containers and none is named.",
  CONTAINER_NOT_FOUND: "The Deployment has no container of that name.",
  TRACK_LABEL_TAKEN: "The pods have a `track` label that means something else.",
  SERVICE_NOT_FOUND: "There is no Service of that name.",
  SERVICE_EXCLUDES_CANARY: "The Service would not select the canary\u2019s pods.",
  CANARY_NAME_TAKEN: "A Deployment of the canary\u2019s name exists that is not ours.",
  CANARY_PODS_REMAIN: "Pods of the deleted canary are still ready, so the Service\u2019s former selector cannot be restored yet.",
  CANARY_MISSING: "There is no canary Deployment to send traffic to.",
  HPA_OWNS_REPLICAS: "An autoscaler owns the replicas that would have to be written.",
  IMAGE_PULL_FAILED: "The image cannot be pulled.",
  INVALID_IMAGE_NAME: "The image reference is not valid.",
  CRASH_LOOP: "The container ends again and again.",
  CONTAINER_CONFIG_ERROR: "The container cannot be made, mostly for want of a ConfigMap or Secret.",
  PODS_NOT_CREATED: "Pods are refused by a quota or an admission policy.",
  QUOTA_EXCEEDED: "A ResourceQuota leaves no room for the pods.",
  UNSCHEDULABLE: "No node has room for the pods, and no autoscaler is making one.",
  SCALER_AMBIGUOUS: "Several autoscalers scale the same workload.",
  FLOOR_ABOVE_MAX: "The autoscaler\u2019s maximum is below the replicas to be kept.",
  SNAPSHOT_NOT_FOUND: "The snapshot is gone; it was pruned or deleted.",
  SNAPSHOT_TAMPERED: "The snapshot was changed, or is of another Deployment.",
  SNAPSHOT_TOO_LARGE: "The snapshot does not fit into a ConfigMap.",
  SNAPSHOT_NEWER: "The snapshot was written by a newer version.",
  SNAPSHOT_KEY_WRONG: "The Secrets of the snapshot cannot be opened with the key that was given.",
  SECRET_NOT_RESTORABLE: "A Secret has changed since the snapshot, which keeps only its fingerprint.",
  NOT_RESTORABLE: "Something that the snapshot describes cannot be put back.",
  PROGRESS_DEADLINE_EXCEEDED: "The deployment controller has given up waiting.",
  READY_TIMEOUT: "The Deployment was not ready in time.",
  NO_PREVIOUS_REVISION: "There is no earlier revision to go back to.",
  WEIGHT_IMPOSSIBLE: "Whole pods do not allow this weight.",
  WEIGHT_NOT_IN_FORCE: "The traffic objects do not have the wanted weight.",
  VIRTUAL_SERVICE_NOT_FOUND: "There is no VirtualService of that name.",
  ROUTE_NOT_FOUND: "The VirtualService has no route of that name.",
  ROUTE_AMBIGUOUS: "Several routes could be the one to split.",
  ROUTE_WITHOUT_STABLE: "The route does not lead to the stable subset.",
  ROUTE_HAS_OTHER_BACKENDS: "The route also leads to something that is neither stable nor canary.",
  WEIGHTS_NOT_100: "The weights of the route do not add up to 100.",
  HTTP_ROUTE_NOT_FOUND: "There is no HTTPRoute of that name.",
  HTTP_ROUTE_UNREPORTED: "No Gateway API controller reports on the HTTPRoute.",
  HTTP_ROUTE_NOT_ACCEPTED: "A controller does not accept the HTTPRoute, or cannot resolve its backends, or has not seen the change.",
  ROUTE_LEADS_TO_CANARY: "A route of somebody else leads to the canary Service.",
  MIRROR_UNSUPPORTED: "This router cannot send copies of requests to the canary.",
  MIRROR_PERCENT_UNSUPPORTED: "The installed HTTPRoute definition drops the share of mirrored requests, so all would be mirrored.",
  INGRESS_NOT_FOUND: "There is no Ingress of that name.",
  INGRESS_HAS_CANARY: "Another canary Ingress for the same host and path exists; nginx heeds only one.",
  SERVICE_WITHOUT_SELECTOR: "The Service has no selector, so pods cannot be told apart by it.",
  SERVICE_EXTERNAL_NAME: "The Service is of type ExternalName: it has no pods.",
  SERVICE_SELECTS_BOTH_TRACKS: "The stable Service would also select the canary\u2019s pods.",
  SERVICE_EXCLUDES_STABLE: "The Service does not select the stable pods.",
  SERVICE_NAME_TAKEN: "A Service of that name exists that is not ours and leads elsewhere.",
  TRACK_WITHOUT_PODS: "No ready pod of the track would get the requests.",
  DESTINATION_RULE_NOT_FOUND: "There is no DestinationRule of that name.",
  SUBSET_MISSING: "The DestinationRule lacks the stable or the canary subset.",
  SUBSETS_OVERLAP: "One subset\u2019s labels also choose the other track\u2019s pods.",
  SUBSET_EXCLUDES_PODS: "A subset would have no pods of its track.",
  DESTINATION_RULE_OTHER_HOST: "The DestinationRule is about another Service.",
  ROUTE_HAS_MIRROR: "The http route already mirrors to somebody else.",
  MATCH_TAKEN: "The http route itself has a condition on the canary\u2019s header or on cookies.",
  NEEDS_HTTP_ROUTE: "Mirroring, header and cookie routes need http routes.",
  GITOPS_OWNED: "A GitOps controller would undo what the rollout writes; the message has the YAML that lets it ignore it.",
  LEASE_HELD: "Another run works on this service.",
  LEASE_LOST: "The lease was lost; nothing more was written.",
  ASKED_TO_GO_BACK: "Another run sent users back meanwhile, and this one went back, too.",
  STATE_NEWER: "The state was written by a newer version.",
  STATE_CORRUPT: "The state cannot be read; it was edited by hand or damaged.",
  STATE_TOO_LARGE: "The state does not fit into a ConfigMap.",
  ENGINE_NOT_INSTALLED: "The cluster does not have the engine\u2019s API: Argo Rollouts or Flagger is not installed.",
  ENGINE_OBJECT_NOT_FOUND: "There is no Rollout, or no Canary, of that name.",
  ENGINE_OBJECTS_AMBIGUOUS: "Two Rollouts, or two Canaries, drive the same pods.",
  ENGINE_TARGET_UNSUPPORTED: "The Rollout\u2019s `workloadRef` or the Canary\u2019s `targetRef` is no Deployment.",
  ENGINE_SPEC_INVALID: "The controller refuses the spec, or the object is being deleted.",
  ROLLOUT_ABORTED: "The rollout was aborted or rolled back.",
  ROLLOUT_WITHOUT_STRATEGY: "The Rollout has no strategy, or its canary strategy has no steps."
};

// packages/rollout/src/common-inputs.ts
var targetInputs = {
  service: { kind: "string", description: "Service in slipway.yml. May be left out when there is only one.", example: "shop" },
  environment: {
    kind: "string",
    description: "Environment in slipway.yml. May be left out when there is only one.",
    example: "production"
  },
  config: {
    kind: "string",
    description: "Path of slipway.yml. When there is no such file, `namespace` and `workload` are enough; everything else has its default.",
    default: ".github/slipway.yml",
    example: "deploy/slipway.yml"
  },
  kubeconfig: {
    kind: "string",
    description: "Path of a kubeconfig, or its content (from a secret). Default: `KUBECONFIG`, then `~/.kube/config`, then the pod\u2019s service account.",
    example: "${{ secrets.KUBECONFIG }}",
    secret: true
  },
  context: { kind: "string", description: "kubeconfig context. Default: the environment\u2019s, else the current one.", example: "production" },
  namespace: { kind: "string", description: "Namespace, in place of the environment\u2019s.", example: "shop" },
  workload: { kind: "string", description: "Name of the Deployment, in place of the service\u2019s.", example: "shop" },
  container: { kind: "string", description: "Container whose image is released, in place of the service\u2019s.", example: "web" }
};
var onCancelInput = {
  kind: "choice",
  values: ["rollback", "hold"],
  description: "What a cancellation does while the canary has users: `rollback` sends them back within 2 s; `hold` leaves the split as it is.",
  default: "rollback",
  example: "hold"
};
var clusterPermissions = ["Kubernetes: the Role in docs/rbac/slipway.yaml, in the namespace of the service."];

// packages/rollout/src/reasons.ts
var rolloutReasons = {
  STEP_IN_FORCE: "The wanted share of users meets the canary, and the split was read back.",
  PROMOTED: "All users meet the new version; the canary is gone.",
  PROMOTING: "The rollout is past its last step and is being promoted.",
  ABORTED: "All users meet the former version; the canary is gone.",
  ROLLED_BACK: "All users are back on the last good version, and it was seen to serve.",
  STATUS: "Where the rollout stands; nothing was changed.",
  PLANNED: "What a rollout would do; nothing was changed, and nothing speaks against it.",
  PLAN_REFUSED: "A rollout would be refused, or could not be taken back; nothing was changed.",
  PLAN_FORBIDDEN: "The kubeconfig\u2019s user lacks permissions that a rollout needs; nothing was changed.",
  ALREADY_RELEASED: "The image is what all users meet already.",
  ALREADY_GOOD: "The last good version serves already.",
  LAST_STEP: "There is no further step; `promote` comes next.",
  ROLLOUT_PAUSED: "The rollout is paused: nothing moves forward until `resume`.",
  ROLLOUT_RESUMED: "The rollout may go on.",
  NOT_PAUSABLE: "The rollout is being promoted or sent back, which comes to its end by itself.",
  GATE_CLOSED: "The step\u2019s gate did not answer 2xx; users stay where they are.",
  SUPERSEDED: "Another release took the place of this one.",
  NOTHING_TO_DO: "There is no rollout to send back.",
  NO_ROLLOUT: "No rollout has begun.",
  ROLLOUT_IN_PROGRESS: "A rollout of another image is on its way.",
  ROLLOUT_ABORTED: "The rollout was aborted or rolled back.",
  ROLLOUT_SUPERSEDED: "Another run wrote the rollout\u2019s state meanwhile; this one stopped.",
  ROLLOUT_RESTLESS: "Something undoes what the rollout does.",
  STEPS_REMAINING: "Steps are still to come before `promote`.",
  STEP_NOT_IN_FORCE: "The step was not brought about yet.",
  WEIGHT_NOT_FORWARD: "The weight asked for is not larger than the one in force.",
  CONFIG_CHANGED: "The service\u2019s settings are not those with which the rollout began.",
  RECREATE_STRATEGY: "The Deployment stops all pods before new ones start, so a canary of it cannot be promoted without downtime.",
  SERVICE_SELECTS_OTHERS: "Pods of yet another Deployment are behind the Service.",
  UNEXPECTED_SPLIT: "Traffic goes to a canary although no rollout is on record.",
  NO_LAST_GOOD: "What was good before can no longer be restored.",
  ENGINE_ABORTED: "The controller (Argo Rollouts, Flagger) gave the update up by itself; all users meet the former version.",
  ENGINE_BUSY: "The controller is at work on an update that Slipway did not begin.",
  ENGINE_HELD: "The controller waits for something that Slipway does not decide: its webhook, its inconclusive analysis.",
  ENGINE_SUSPENDED: "Somebody paused the Rollout or suspended the Canary.",
  ENGINE_NOT_READY: "The controller has not set the service up yet.",
  ENGINE_NOT_RESPONDING: "The controller does not act on what it is told; it may not be running.",
  ENGINE_DEGRADED: "The controller cannot go on with the update, and did not abort it.",
  CANCELLED: "The run was cancelled; by default users were sent back at once.",
  RUNNER_LOST: "The run that moved users was silent for too long; they were sent back.",
  RESTING: "The rollout rests between two jobs of its workflow, and not for too long; it was left alone.",
  RECONCILED: "A rollout whose run had died was brought to its end.",
  SOMEBODY_WORKS: "The rollout\u2019s state or lease was written meanwhile, so a run is alive; it was left alone."
};
var analysisReasons = {
  ANALYSIS_PASSED: "The judge has evidence that the canary is not worse.",
  BAKED: "Everybody met the new version, and nothing speaks against it.",
  PREVIEWED: "No user met the canary in this step; its pods stayed up.",
  INCONCLUSIVE: "The evidence decides neither way.",
  INCONCLUSIVE_CONTINUED: "The evidence decides neither way, and `on-inconclusive: continue` goes on.",
  NO_DATA: "Nothing could be seen of the canary; never a pass.",
  ERROR_RATE_WORSE: "The canary fails more requests than stable.",
  ERROR_LIMIT: "The canary fails more requests than the step\u2019s `max-error-rate`.",
  LATENCY_WORSE: "The canary is slower than stable.",
  CANARY_WORSE: "The canary is worse than stable.",
  CANARY_UNHEALTHY: "The canary\u2019s pods crash, restart or are no longer ready.",
  OBSERVED_FAIL: "In `mode: observe`: users would have been sent back.",
  REPLAYED: "The traces were judged; no cluster was touched."
};
var triggerReasons = {
  WATCH_PASSED: "No trigger fired.",
  SHARED_INCIDENT: "Stable breaches the limit as well, so the release is not the cause.",
  TRIGGER_ERROR_RATE: "Too many requests failed for too long; users were sent back to the last good version.",
  TRIGGER_LATENCY_P99: "Requests were too slow for too long; users were sent back to the last good version.",
  TRIGGER_HEALTH_FAILURES: "Too many health checks failed; users were sent back to the last good version.",
  TRIGGER_RESTARTS: "Too many restarts; users were sent back to the last good version."
};

// actions/auto-rollback/contract.ts
var contract = defineContract({
  name: "auto-rollback",
  family: "cluster",
  description: "Sends all users back to the last good version and sees that it serves; at once, or when a trigger fires.",
  inputs: {
    command: {
      kind: "choice",
      values: ["now", "watch", "reconcile"],
      description: "`now`: abort the rollout that is on, or take back what was promoted last. `watch`: look at the triggers for `duration`, then do the same if one fires. `reconcile`: end a rollout whose run has died; nothing else is touched.",
      default: "now",
      example: "watch"
    },
    image: {
      kind: "string",
      description: "Go back only if this is the image being released, or released last: a job that failed before it deployed must not undo the release before.",
      example: "ghcr.io/acme/shop:v1.4.0"
    },
    duration: { kind: "duration", min: 1e3, description: "How long `watch` looks.", default: "5m", example: "30m" },
    interval: { kind: "duration", min: 1e3, description: "How often `watch` looks.", default: "10s", example: "5s" },
    quiet: {
      kind: "duration",
      min: 1e3,
      description: "How long `reconcile` looks before it takes a run at work for dead that writes neither the state nor the lease. Longer than two windows of the analysis.",
      default: "90s",
      example: "5m"
    },
    rest: {
      kind: "duration",
      min: 1e3,
      description: "How long a release may rest between two jobs before `reconcile` sends users back. Longer than any wait for a runner or a reviewer that is not announced by `pause`.",
      default: "30m",
      example: "2h"
    },
    "only-unfinished": {
      kind: "boolean",
      description: "With `now`: a rollout that is at rest stays as it is; a release that went through is not taken back.",
      default: "false",
      example: "true"
    },
    why: { kind: "string", description: "Why, for the record.", example: "payments fail since 14:02" },
    ...targetInputs
  },
  outputs: {
    "rolled-back": { description: "`true` when users were sent back by this run." },
    "from-image": { description: "Image that was taken back." },
    "to-image": { description: "Image that serves now." },
    trigger: { description: "Trigger that fired: `error-rate`, `latency-p99`, `health-failures`, `restarts`; empty otherwise." },
    "rollback-seconds": { description: "Seconds from the decision until the last good version was seen to serve." }
  },
  reasons: { ...clusterReasons, ...rolloutReasons, ...triggerReasons, NO_DATA: analysisReasons.NO_DATA },
  permissions: clusterPermissions,
  cli: { aliases: ["rollback"], positionals: ["command"] }
});

// actions/canary-analyze/contract.ts
var contract2 = defineContract({
  name: "canary-analyze",
  family: "cluster",
  description: "Judges the canary against stable while users meet it, and sends them back at once when it is worse.",
  inputs: {
    duration: { kind: "duration", min: 1e3, description: "How long the step is watched. Default: the step\u2019s `duration`.", example: "5m" },
    judge: {
      kind: "choice",
      values: ["anytime-valid", "threshold"],
      description: "Judge, in place of the service\u2019s.",
      example: "threshold"
    },
    provider: {
      kind: "choice",
      values: ["pods", "prometheus"],
      description: "Where counts come from, in place of the service\u2019s.",
      example: "pods"
    },
    mode: {
      kind: "choice",
      values: ["enforce", "observe"],
      description: "`enforce`: a fail verdict sends users back at once. `observe`: judge and report, move nothing.",
      default: "enforce",
      example: "observe"
    },
    replay: {
      kind: "list",
      description: "Files of recorded windows to judge instead of a rollout; no cluster is needed. Prints one JSON line per trace.",
      example: "traces/release-1.jsonl"
    },
    "on-cancel": onCancelInput,
    ...targetInputs
  },
  outputs: {
    verdict: { description: "`pass`, `fail`, `inconclusive` or `nodata`: what the judge says, before any policy." },
    metric: { description: "Metric that decided; empty while undecided." },
    scope: { description: "`release`, or `pod:NAME` when one pod alone carries the evidence." },
    evidence: { description: "JSON: evidence and limit per metric." },
    windows: { description: "How many windows were judged." },
    "canary-error-rate": { description: "Share of the canary\u2019s requests that failed, e.g. `0.012`; empty without requests." },
    "stable-error-rate": { description: "The same of stable." },
    "canary-requests": { description: "Requests of the canary that were seen." }
  },
  reasons: { ...clusterReasons, ...rolloutReasons, ...analysisReasons },
  permissions: clusterPermissions,
  post: true,
  cli: { aliases: ["analyze"], positionals: [] }
});

// actions/canary-deploy/contract.ts
var contract3 = defineContract({
  name: "canary-deploy",
  family: "cluster",
  description: "Moves users to a new version step by step, and back: start, step, promote, abort, status.",
  inputs: {
    command: {
      kind: "choice",
      values: ["start", "step", "promote", "pause", "resume", "abort", "status", "plan"],
      description: "`start`: first step of a new rollout. `step`: the next weight. `promote`: everybody, and the canary goes; with `image` and no rollout on: a rolling release that is undone when it does not get ready. `pause`, `resume`: nothing moves forward in between. `abort`: everybody back. `status`: only look. `plan`: what a rollout would do, and whether it could; nothing is changed.",
      required: true,
      example: "start"
    },
    image: {
      kind: "string",
      description: "Image to release; required for `start`. A digest is best: what was tested is what runs.",
      example: "ghcr.io/acme/shop@sha256:4bc453b53cb3d914b45f4b250294236adba2c0e09ff6f03793949e7e39fd4cc1"
    },
    version: { kind: "string", description: "Version of the image, for people and for the pods\u2019 version label.", example: "v1.4.0" },
    weight: {
      kind: "integer",
      min: 1,
      max: 100,
      description: "Percent of users, in place of the step\u2019s. 100, with `promote` alone, leaves out the steps that are still to come.",
      example: "25"
    },
    supersede: {
      kind: "boolean",
      description: "With `start`: a rollout of another image that is on its way is sent back first, in place of being refused.",
      default: "false",
      example: "true"
    },
    why: { kind: "string", description: "With `pause`: the reason, for those who wait.", example: "checkout is being load-tested" },
    watch: {
      kind: "boolean",
      description: "With `status`: go on looking until the rollout is at rest.",
      default: "false",
      example: "true"
    },
    "on-cancel": onCancelInput,
    ...targetInputs
  },
  outputs: {
    "rollout-id": { description: "Id of the rollout; empty when there never was one." },
    phase: { description: "`none`, `starting`, `progressing`, `promoting`, `promoted`, `aborting`, `aborted`, `undoing` or `undone`." },
    step: { description: "Number of the step in force, from 1; 0 when there is none." },
    weight: { description: "Percent of users that were to meet the new version: the step\u2019s weight, or the one asked for." },
    "measured-weight": {
      description: "Percent of users that meet it, as read back. With `router: replicas` whole pods seldom make the weight asked for: 1 of 5 pods is 20."
    },
    image: { description: "Image that is being released, or was last." },
    "previous-image": { description: "Image that served before." },
    done: { description: "`true` when the rollout is at rest for good (promoted, aborted or undone)." }
  },
  reasons: { ...clusterReasons, ...rolloutReasons },
  permissions: clusterPermissions,
  post: true,
  cli: {
    positionals: ["command"],
    shortcuts: {
      plan: ["plan"],
      start: ["start"],
      step: ["step"],
      promote: ["promote"],
      pause: ["pause"],
      resume: ["resume"],
      abort: ["abort"],
      status: ["status"]
    }
  }
});

// actions/check-changelog/contract.ts
var reasons = {
  FOUND: "The version has one displayed section with entries.",
  VERSION_MISSING: "No section, and nothing that looks like one.",
  IN_CODE: "The heading is only in a code block.",
  IN_COMMENT: "The heading is only in an HTML comment.",
  IN_DETAILS: "The heading is only in a `<details>` element.",
  IN_HTML: "The heading is only in an HTML block.",
  IN_QUOTE: "The heading is only in a block quote.",
  IN_LIST: "The heading is only in a list.",
  NOT_A_HEADING: "A line looks like the heading but is none, as `##[1.4.0]` without a space, or `**1.4.0**`.",
  UNCLOSED_FENCE: "A code fence is never closed and takes in the heading, or all that follows it.",
  UNCLOSED_HTML: "An HTML comment or block is never closed and takes in the heading, or all that follows it.",
  NESTED_TOO_DEEP: "Lists or quotes are nested so deeply that the rest of the file cannot be read.",
  DUPLICATE_VERSION: "The version has two sections.",
  VERSION_YANKED: "The section is marked as withdrawn (YANKED).",
  DATE_INVALID: "The date is not a day of the calendar, or a placeholder stands in its place.",
  DATE_IN_FUTURE: "The date has not begun in any time zone.",
  EMPTY_SECTION: "The section has no entries.",
  FILE_MISSING: "There is no such file.",
  FILE_UNREADABLE: "The file is a directory, or may not be read.",
  TOO_LARGE: "The file has more than 2 MB, or more than 40,000 lines and marks of lists, headings and links.",
  NOT_TEXT: "The file is not UTF-8."
};
var contract4 = defineContract({
  name: "check-changelog",
  family: "gates",
  description: "Says whether the changelog has a section for a version, displayed, dated and filled, and hands out its text as release notes.",
  inputs: {
    version: {
      kind: "string",
      description: "The version to release, with or without the tag prefix; its build (`+\u2026`) does not matter.",
      example: "v1.4.0",
      required: true
    },
    file: { kind: "string", description: "The changelog, Markdown.", default: "CHANGELOG.md", example: "docs/CHANGELOG.md" },
    "notes-file": {
      kind: "string",
      description: "Where to write the text of the section. Default: a new file in the temporary directory of the runner.",
      example: "release-notes.md"
    },
    "tag-prefix": {
      kind: "string",
      description: "What tags, and perhaps headings, have in front of the version; `none` for nothing.",
      default: "v",
      example: "shop-v"
    }
  },
  outputs: {
    notes: {
      description: "The text of the section with the link references that it uses. Give it to other steps through `env:`, never inside `run:`."
    },
    "notes-file": { description: "The file with the same text." },
    date: { description: "The date in the heading, `YYYY-MM-DD`; empty without one." },
    line: { description: "The line of the heading." },
    yanked: { description: "Whether the section is marked as withdrawn: `true` or `false`." }
  },
  reasons,
  permissions: ["`contents: read`, for actions/checkout."],
  cli: { positionals: ["version", "file"] }
});

// actions/validate-version/contract.ts
var reasons2 = {
  LEGAL: "Well formed, and it may follow the previous version.",
  FIRST_RELEASE: "Well formed, and there is no earlier version.",
  EMPTY: "The version is empty.",
  TOO_LONG: "The version is longer than 128 characters.",
  ILLEGAL_CHARACTER: "A character that no version has at this place, such as a space, a `$`, or a letter in place of a digit.",
  MISSING_PART: "Fewer than three numbers, as in `v1.2`.",
  TOO_MANY_PARTS: "More numbers than a version has, as in `1.2.3.4` or `1.2.3-rc.1.2`.",
  LEADING_ZERO: "A number begins with 0, as in `v01.2.3`.",
  NUMBER_TOO_LARGE: "A number is larger than 9007199254740991.",
  UNKNOWN_STAGE: "The prerelease is none of `alpha.N`, `beta.N`, `rc.N`.",
  STAGE_NUMBER_MISSING: "The prerelease has no number, as in `1.2.3-rc`.",
  BAD_BUILD: "What follows `+` is not a short commit hash.",
  ALREADY_RELEASED: "This version is released: it is the previous one, or its tag points to another commit.",
  SAME_PRECEDENCE: "It differs from a released version only in the build, so neither is newer.",
  NOT_GREATER: "It is lower than the previous version of its line.",
  STAGE_WENT_BACK: "The stage goes back, as from `rc.2` to `beta.3`.",
  SKIPPED_NUMBER: "A number was left out, as from 1.2.3 to 1.2.5.",
  LOWER_PART_NOT_RESET: "A number was raised and a lower one is not 0, as from 1.2.3 to 1.3.3.",
  BUILD_NOT_THIS_COMMIT: "The build is not the hash of the commit that is released.",
  SHALLOW_CLONE: "The clone is shallow and has no earlier version tag, so nothing can be said.",
  NO_TAG_WITH_PREFIX: "No version tag has the prefix, but there are version tags without it (or with `v`).",
  NOT_A_REPOSITORY: "The working directory is not in a git repository.",
  GIT_FAILED: "git is not installed, or refuses the repository."
};
var contract5 = defineContract({
  name: "validate-version",
  family: "gates",
  description: "Says whether a version is well formed and may follow what was released before, and takes it apart.",
  inputs: {
    version: {
      kind: "string",
      description: "The version to release, with or without the tag prefix. In a workflow on tags: `${{ github.ref_name }}`.",
      example: "v1.4.0",
      required: true
    },
    previous: {
      kind: "string",
      description: "The version to compare with, or `none` for a first release. Default: the tags of the repository, by git.",
      example: "v1.3.2"
    },
    "tag-prefix": {
      kind: "string",
      description: "What tags have in front of the version; `none` when they are bare versions.",
      default: "v",
      example: "shop-v"
    }
  },
  outputs: {
    version: { description: "The version without prefix, e.g. `1.4.0-rc.1+3f2c1ab`." },
    major: { description: "The first number." },
    minor: { description: "The second number." },
    patch: { description: "The third number." },
    stage: { description: "`alpha`, `beta` or `rc`; empty for a final release." },
    "stage-number": { description: "The number of the prerelease; empty for a final release." },
    build: { description: "The commit hash after `+`; empty without one." },
    "is-prerelease": { description: "`true` or `false`." },
    tag: { description: "The version with the tag prefix." },
    bump: {
      description: "`major`, `minor`, `patch`, `prerelease` (next of the same numbers), `release` (its prereleases are over) or `first`."
    },
    previous: { description: "The version that it was compared with; empty for a first release." },
    "next-legal": {
      description: "JSON list of the versions that may follow `previous`, nearest first; also set when the version is refused."
    },
    "docker-tag": { description: "The version as an image tag: `+` becomes `_`." }
  },
  reasons: reasons2,
  permissions: ["`contents: read`, for actions/checkout. Tags have to be there: `fetch-depth: 0` or `fetch-tags: true`."],
  cli: { positionals: ["version"] }
});

// packages/cli/src/contracts.ts
var contracts = [contract, contract2, contract3, contract4, contract5];

// packages/cli/src/families.ts
var families = {
  gates: () => import("../gates/index.js"),
  cluster: () => import("../cluster/index.js")
};
var loadFamily = (name) => families[name]();

// packages/cli/src/help.ts
function helpText(contracts2) {
  const rows = contracts2.map((contract6) => [usage(contract6), summary(contract6)]);
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    "Safe releases for GitHub Actions and Kubernetes.",
    "",
    "Usage: slipway COMMAND [OPTIONS]",
    "",
    "Commands:",
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    "",
    "Every command takes --json (the result as JSON) and --help (its options).",
    "Exit codes: 0 pass or skipped, 1 fail, 2 error in use or configuration, 3 hold (undecided).",
    ""
  ].join("\n");
}
function usage(contract6) {
  return [contract6.name, ...positionalForms(contract6)].join(" ");
}
function summary(contract6) {
  const [, ...others] = commandNames(contract6);
  return others.length === 0 ? contract6.description : `${contract6.description} (Also: ${others.join(", ")}.)`;
}

// packages/cli/src/command-line.ts
var defaults = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  contracts,
  load: loadFamily
};
async function runCommandLine(argv, options) {
  const { version, out, err, contracts: contracts2, load } = { ...defaults, ...options };
  const [first, second, ...others] = argv;
  if (first === "help" && second !== void 0) return runCommandLine([second, "--help", ...others], options);
  if (first === void 0) {
    err(helpText(contracts2));
    return 2;
  }
  if (["--help", "-h", "help"].includes(first)) {
    out(helpText(contracts2));
    return 0;
  }
  if (first === "--version" || first === "-V") {
    out(`${version}
`);
    return 0;
  }
  const command = findCommand(first, contracts2);
  if (first.startsWith("-")) {
    err(`slipway: ${JSON.stringify(first)} stands before the command; options follow it: slipway COMMAND [OPTIONS]
`);
    return 2;
  }
  if (!command) {
    const hint = suggestion(first, contracts2.flatMap(commandNames));
    err(`slipway: there is no command ${JSON.stringify(first)}${hint}

${helpText(contracts2)}`);
    return 2;
  }
  const { contract: contract6, given } = command;
  const { cli } = await load(contract6.family);
  await cli(contract6.name, [...given, ...argv.slice(1)]);
  return void 0;
}

// packages/cli/src/root-contract.ts
var rootContract = defineContract({
  name: "slipway",
  family: "gates",
  description: "Safe releases for GitHub Actions and Kubernetes: gates, canary, analysis and rollback behind one `command` input.",
  inputs: {
    command: {
      kind: "string",
      required: true,
      description: "The command, with what it takes by position.",
      example: "canary-deploy start"
    }
  },
  outputs: {},
  reasons: {},
  permissions: []
});

// packages/cli/src/root-action.ts
var setting = () => ({ env: process.env, contracts, load: loadFamily });
function parseRequest(text, contracts2) {
  const [name = "", ...rest] = text.trim().split(/\s+/);
  const found = findCommand(name, contracts2);
  if (!found) {
    const names = contracts2.flatMap(commandNames);
    return { problem: `${quoteValue(name)} is not a command${suggestion(name, names)}`, allowed: names.join(", ") };
  }
  const { contract: command, given } = found;
  const words = [...given, ...rest];
  const values = {};
  for (const positional of command.cli?.positionals ?? []) {
    const taken = words.splice(0, command.inputs[positional]?.kind === "list" ? words.length : 1);
    if (taken.length > 0) values[positional] = taken.join("\n");
  }
  if (words.length > 0) {
    const form = [command.name, ...positionalForms(command)].join(" ");
    return { problem: `${quoteValue(words.join(" "))} is too much`, allowed: form };
  }
  return { command, values };
}
async function rootMain({ env, contracts: contracts2, load } = setting()) {
  const request = parseRequest(env[inputVariable("command")] ?? "", contracts2);
  if ("problem" in request) return refuse(request);
  handOver(request.values, env);
  const { main } = await load(request.command.family);
  return main(request.command.name);
}
async function rootPost({ env, contracts: contracts2, load } = setting()) {
  const request = parseRequest(env[inputVariable("command")] ?? "", contracts2);
  if ("problem" in request || !request.command.post) return;
  handOver(request.values, env);
  const { post } = await load(request.command.family);
  return post(request.command.name);
}
function refuse({ problem, allowed }) {
  return runMain({
    contract: rootContract,
    main: () => Promise.reject(new UsageError([{ where: "command", message: problem, allowed, example: rootContract.inputs.command.example }]))
  });
}
function handOver(values, env) {
  delete env[inputVariable("command")];
  for (const [name, value] of Object.entries(values)) env[inputVariable(name)] = value;
}
export {
  rootMain,
  rootPost,
  runCommandLine
};
