import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '../base/json.ts';
import { printYaml, printYamlInOrder, printYamlStream } from './yamlPrint.ts';

const cases: readonly (readonly [name: string, value: JsonValue, text: string])[] = [
  ['sorts keys, numbers in them by value', { b: 1, a10: 2, a2: 3, A: 4 }, 'A: 4\na2: 3\na10: 2\nb: 1\n'],
  ['puts lists at the column of their key', { a: [{ b: 1, c: [1] }, 'x'] }, 'a:\n- b: 1\n  c:\n  - 1\n- x\n'],
  ['nests lists', [[1, 2], [[]]], '- - 1\n  - 2\n- - []\n'],
  ['writes empty collections in brackets', { a: {}, b: [] }, 'a: {}\nb: []\n'],
  [
    'quotes text that would be another type',
    { a: 'yes', b: '1', c: '', d: '12:30', e: 'null' },
    'a: "yes"\nb: "1"\nc: ""\nd: "12:30"\ne: "null"\n',
  ],
  [
    'quotes indicators',
    { a: '- x', b: 'a: b', c: '#x', d: '*', e: "it's" },
    `a: '- x'\nb: 'a: b'\nc: '#x'\nd: '*'\ne: it's\n`,
  ],
  ['escapes what cannot be printed', { a: 'x\ty', b: '😀' }, 'a: "x\\ty"\nb: "\\U0001F600"\n'],
  [
    'writes lines as a literal block',
    { a: 'x\ny\n', b: 'x\n\ny', c: ' x\n', d: 'x\n\n' },
    'a: |\n  x\n  y\nb: |-\n  x\n\n  y\nc: |2\n   x\nd: |+\n  x\n\n',
  ],
  ['escapes lines that end in blanks', { a: 'x \ny' }, 'a: "x \\ny"\n'],
  [
    'writes numbers as Go does',
    { a: 1.5, b: 1e21, c: 0.00001, d: 1234567.5, e: 100, f: 9007199254740993n },
    'a: 1.5\nb: 1e+21\nc: 1e-05\nd: 1.2345675e+06\ne: 100\nf: 9007199254740993\n',
  ],
  ['writes long keys explicitly', { ['k'.repeat(129)]: 1 }, `? ${'k'.repeat(129)}\n: 1\n`],
];

for (const [name, value, text] of cases) test(name, () => assert.equal(printYaml(value), text));

test('folds long text at the first blank behind column 80', () => {
  const words = Array.from({ length: 30 }, (_, index) => `word${index}`).join(' ');
  const lines = printYaml({ key: words }).split('\n');
  assert.ok(lines.every((line) => line.length <= 90));
  assert.match(lines[1] ?? '', /^ {2}word/);
});

test('keeps the order of keys when asked to', () => {
  assert.equal(printYamlInOrder({ b: 1, a: { d: 1, c: 2 } }), 'b: 1\na:\n  d: 1\n  c: 2\n');
});

test('joins documents as kustomize does', () => {
  assert.equal(printYamlStream([{ a: 1 }, { b: 2 }]), 'a: 1\n---\nb: 2\n');
});
