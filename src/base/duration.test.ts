import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDuration } from './duration.ts';

test('reads what Go reads', () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['.5s', 500],
    ['1.s', 1000],
    ['-2m', -120_000],
    ['0', 0],
    ['250ms', 250],
    ['', undefined],
    ['10', undefined],
    ['1d', undefined],
    ['5m ', undefined],
    ['m', undefined],
  ];
  for (const [text, expected] of cases) assert.equal(parseDuration(text), expected, text);
});

test('writes what Go writes', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0s'],
    [600_000, '10m0s'],
    [3_600_000, '1h0m0s'],
    [1500, '1.5s'],
    [250, '250ms'],
    [1.5, '1.5ms'],
    [0.0015, '1.5µs'],
    [-61_000, '-1m1s'],
    [90_061_001, '25h1m1.001s'],
  ];
  for (const [duration, expected] of cases) assert.equal(formatDuration(duration), expected);
});
