/** A day is over everywhere when it is over at UTC-12, and has begun somewhere when it has at UTC+14. */
const earliestZone = 14 * 3_600_000;

/** Whether `YYYY-MM-DD` names a day of the calendar. */
export function isCalendarDay(day: string): boolean {
  const time = Date.parse(`${day}T00:00:00Z`);
  return Number.isFinite(time) && new Date(time).toISOString().startsWith(day);
}

/** Whether the day has not begun anywhere on earth at `now` (milliseconds since the epoch), so that no time zone excuses it. */
export function isInFuture(day: string, now: number): boolean {
  return day > new Date(now + earliestZone).toISOString().slice(0, 10);
}

/** The day in UTC. */
export function utcDay(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}
