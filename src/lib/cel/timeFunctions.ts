import type { CelFunction } from './celFunction.ts';
import { noOverload } from './operators.ts';
import { offsetMinutes } from './time.ts';
import { CelDuration, CelError, CelTimestamp, type CelValue } from './values.ts';

type OfTimestamp = (local: Date) => number;

/** Getters of a timestamp; the local time is held by the UTC fields of a Date. */
const timestampGetters: Readonly<Record<string, OfTimestamp>> = {
  getFullYear: (local) => local.getUTCFullYear(),
  getMonth: (local) => local.getUTCMonth(),
  getDate: (local) => local.getUTCDate(),
  getDayOfMonth: (local) => local.getUTCDate() - 1,
  getDayOfWeek: (local) => local.getUTCDay(),
  getDayOfYear: (local) => Math.floor((local.getTime() - new Date(local).setUTCMonth(0, 1)) / 86_400_000),
  getHours: (local) => local.getUTCHours(),
  getMinutes: (local) => local.getUTCMinutes(),
  getSeconds: (local) => local.getUTCSeconds(),
  getMilliseconds: (local) => local.getUTCMilliseconds(),
};

/** Getters that a duration has as well: the whole of it in that unit. */
const durationUnits: Readonly<Record<string, bigint>> = {
  getHours: 3_600_000_000_000n,
  getMinutes: 60_000_000_000n,
  getSeconds: 1_000_000_000n,
  getMilliseconds: 1_000_000n,
};

export const timeFunctions: readonly (readonly [string, CelFunction])[] = Object.entries(
  timestampGetters,
).map(
  ([name, getter]) => [name, { arities: [1, 2], invoke: (args) => getTimePart(name, getter, args) }] as const,
);

function getTimePart(name: string, getter: OfTimestamp, [value, zone, ...rest]: readonly CelValue[]): bigint {
  const unit = durationUnits[name];
  if (value instanceof CelDuration && unit !== undefined && zone === undefined)
    return value.nanoseconds / unit;
  const isUsual = zone === undefined || typeof zone === 'string';
  if (!(value instanceof CelTimestamp) || !isUsual || rest.length > 0) throw new CelError(noOverload);
  return BigInt(getter(localTime(value.nanoseconds, zone)));
}

function localTime(nanoseconds: bigint, zone: string | undefined): Date {
  const fraction = ((nanoseconds % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const milliseconds = Number((nanoseconds - fraction) / 1_000_000n);
  if (zone === undefined || zone === '' || zone === 'UTC') return new Date(milliseconds);
  const minutes = offsetMinutes(zone);
  return new Date(minutes === undefined ? inNamedZone(milliseconds, zone) : milliseconds + minutes * 60_000);
}

function inNamedZone(milliseconds: number, timeZone: string): number {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      ...{ timeZone, hourCycle: 'h23', era: 'short' },
      ...{
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      },
    });
  } catch {
    throw new CelError(`unknown time zone ${timeZone}`);
  }
  const parts = new Map(format.formatToParts(milliseconds).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const local = new Date(0);
  local.setUTCFullYear(part('year'), part('month') - 1, part('day'));
  local.setUTCHours(part('hour'), part('minute'), part('second'), ((milliseconds % 1000) + 1000) % 1000);
  return local.getTime();
}
