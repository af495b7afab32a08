/**
 * Loaded into a command before anything else (`node --import`): gives it a clock that is wrong by SLIPWAY_TEST_CLOCK_SHIFT milliseconds, lets
 * its time pass SLIPWAY_TEST_CLOCK_RATE times as fast (since SLIPWAY_TEST_CLOCK_ORIGIN, Unix milliseconds), and ends its wait for one answer after SLIPWAY_TEST_ANSWER_TIMEOUT milliseconds.
 */
const shift = Number(process.env.SLIPWAY_TEST_CLOCK_SHIFT ?? 0);
const rate = Number(process.env.SLIPWAY_TEST_CLOCK_RATE ?? 1);
const longest = Number(process.env.SLIPWAY_TEST_ANSWER_TIMEOUT ?? Number.POSITIVE_INFINITY);

const RealDate = Date;
const origin = Number(process.env.SLIPWAY_TEST_CLOCK_ORIGIN ?? RealDate.now());
const now = () => Math.round(origin + (RealDate.now() - origin) * rate + shift);

class WrongDate extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(now());
    else super(...given);
  }

  static now() {
    return now();
  }
}
globalThis.Date = WrongDate;

if (rate !== 1) {
  for (const name of ['setTimeout', 'setInterval']) {
    const real = globalThis[name];
    globalThis[name] = (run, ms = 0, ...rest) => real(run, ms / rate, ...rest);
  }
}

const realTimeout = AbortSignal.timeout;
AbortSignal.timeout = (ms) => realTimeout.call(AbortSignal, Math.ceil(Math.min(ms, longest) / rate));
