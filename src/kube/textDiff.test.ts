import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textDiff } from './textDiff.ts';

test('texts of several lines show the lines that differ, with one around each', () => {
  const before = 'a\nb\nc\nd\ne\nf\ng\nh\n';
  const after = 'a\nB\nc\nd\ne\nf\ng\nH\n';
  assert.deepEqual(textDiff(before, after), [' a', '-b', '+B', ' c', '…', ' g', '-h', '+H']);
  assert.deepEqual(textDiff('x\ny\n', 'x\n'), [' x', '-y']);
  assert.deepEqual(textDiff('x\ny', 'x\ny\n'), [' x', '-y', '\\ No newline at end of file', '+y']);
});

test('other values, single lines and texts without anything in common are no diff', () => {
  assert.equal(textDiff('a', 'b'), undefined);
  assert.equal(textDiff('a\n', 'b\n'), undefined);
  assert.equal(textDiff(1, 'a\nb'), undefined);
  assert.equal(textDiff(undefined, 'a\nb'), undefined);
  const many = (prefix: string): string =>
    Array.from({ length: 1000 }, (_, line) => prefix + line).join('\n');
  assert.equal(textDiff(many('a'), many('b')), undefined);
});

test('a long difference is cut', () => {
  const many = (prefix: string): string => Array.from({ length: 60 }, (_, line) => prefix + line).join('\n');
  const lines = textDiff(many('a'), many('b')) ?? [];
  assert.equal(lines.length, 41);
  assert.match(lines.at(-1) ?? '', /^… \d+ more lines$/);
});
