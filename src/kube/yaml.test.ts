import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDiagnostic } from '../base/diagnostic.ts';
import { equalJson, type JsonValue } from '../base/json.ts';
import { locateInYaml, parseYaml } from './yaml.ts';

function checkValue(text: string, expected: readonly JsonValue[]): void {
  const { value, diagnostics } = parseYaml('a.yaml', text);
  assert.deepEqual(diagnostics.map(formatDiagnostic), []);
  const values = value.map((document) => document.value);
  assert.ok(equalJson(values, expected), `got ${JSON.stringify(values, bigints)}`);
}

function bigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}

function checkProblems(text: string, expected: readonly string[]): void {
  assert.deepEqual(parseYaml('a.yaml', text).diagnostics.map(formatDiagnostic), expected);
}

const values: readonly (readonly [name: string, text: string, value: JsonValue])[] = [
  [
    'block mappings and lists',
    'a:\n- b: 1\n  c: x\n- d\nb:\n  - e\n',
    { a: [{ b: 1, c: 'x' }, 'd'], b: ['e'] },
  ],
  ['flow collections and JSON', '{"a": [1, {b: c}, ], d: }', { a: [1, { b: 'c' }], d: null }],
  ['a pair in a flow list', '[a: 1, b]', [{ a: 1 }, 'b']],
  ['YAML 1.1 words', 'a: [yes, off, y, ~, Null]', { a: [true, false, true, null, null] }],
  ['octal, hexadecimal, binary, underscores', '[010, 0o10, 0x1F, 0b11, 1_000]', [8, 8, 31, 3, 1000]],
  ['numbers that are no integers', '[1.5, 1e3, .5, 08, 1e999]', [1.5, 1000, 0.5, 8, '1e999']],
  [
    'big integers exactly',
    '[9007199254740993, 18446744073709551615]',
    [9007199254740993n, 18446744073709551615n],
  ],
  ['dates and times of day as text', '[2020-01-02, 12:30]', ['2020-01-02', '12:30']],
  ['keys that are no strings', '1: a\ntrue: b\n1.5: c', { '1': 'a', true: 'b', '1.5': 'c' }],
  [
    'quoted text',
    `a: 'it''s'\nb: "\\u00e9\\n\\x41"\nc: "x\n  y\n\n  z"`,
    { a: "it's", b: 'é\nA', c: 'x y\nz' },
  ],
  ['literal blocks', 'a: |\n  x\n   y\n\nb: |-\n  z\nc: |+\n  w\n\n', { a: 'x\n y\n', b: 'z', c: 'w\n\n' }],
  ['folded blocks', 'a: >\n  x\n  y\n\n  z\n   w\n', { a: 'x y\nz\n w\n' }],
  ['an indentation indicator', 'a: |2\n    x\n', { a: '  x\n' }],
  ['plain text over several lines', 'a: b\n  c\n\n  d # no\n', { a: 'b c\nd' }],
  [
    'anchors, aliases and merge keys',
    'a: &x {b: 1, c: 2}\nd: *x\ne:\n  <<: *x\n  c: 3\n',
    { a: { b: 1, c: 2 }, d: { b: 1, c: 2 }, e: { b: 1, c: 3 } },
  ],
  ['explicit keys', '? a\n: b\n? c\n', { a: 'b', c: null }],
  ['tags', '[!!str 1, !!int "2", !!float 3]', ['1', 2, 3]],
  ['the key __proto__', '{"__proto__": 1}', JSON.parse('{"__proto__": 1}') as JsonValue],
];

for (const [name, text, value] of values) test(`reads ${name}`, () => checkValue(text, [value]));

test('reads several documents and leaves out empty ones', () => {
  checkValue('---\na: 1\n---\n# nothing\n---\nb: 2\n...\n', [{ a: 1 }, { b: 2 }]);
});

test('reads Windows line ends and a byte order mark', () => {
  checkValue('\ufeffa: |\r\n  x\r\nb: 1\r\n', [{ a: 'x\n', b: 1 }]);
});

test('tells syntax errors with line and column, and goes on with the next document', () => {
  checkProblems('a: 1\n---\nb: [1, 2\nc: d\n---\ne: f: g\n---\nh: 1\n', [
    "a.yaml:4:2: error: expected ',' or ']'",
    'a.yaml:6:5: error: unexpected text after the value (quote the whole value)',
  ]);
  assert.equal(parseYaml('a.yaml', 'a: 1\n---\nb: [\n---\nc: 2').value.length, 2);
});

test('tells wrong indentation, tabs and missing blanks', () => {
  checkProblems('a:\n  b: "1"\n   c: 2\n', [
    'a.yaml:3:4: error: this line is indented more than the mapping it belongs to (check the indentation)',
  ]);
  checkProblems('a:\n\tb: 1\n', ['a.yaml:2:1: error: a tab is used for indentation (indent with spaces)']);
  checkProblems('a: 1\nb:2\n', [
    "a.yaml:2:1: error: this line is neither a key nor part of a value: expected ':' after a key (check the indentation, and that a blank follows the colon)",
  ]);
});

test('tells a key that is given twice, and keeps the last', () => {
  checkProblems('a: 1\nb: 2\na: 3\n', ['a.yaml:3:1: error: the key "a" is given twice (remove one of them)']);
  assert.deepEqual(parseYaml('a.yaml', 'a: 1\na: 3\n').value[0]?.value, { a: 3 });
});

test('tells control characters', () => {
  checkProblems('a: b\nc: \x01\n', [
    'a.yaml:2:4: error: the character U+0001 is not allowed in YAML (is this a binary file? Text may hold it as an escape between double quotes)',
  ]);
});

test('refuses a document that grows without bound', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 12; level++)
    lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]`);
  const { value, diagnostics } = parseYaml('a.yaml', lines.join('\n'));
  assert.equal(value.length, 0);
  assert.deepEqual(
    [...new Set(diagnostics.map((diagnostic) => diagnostic.code))],
    ['yaml-excessive-aliases'],
  );
});

test('refuses an anchor that contains itself and nesting without end', () => {
  assert.equal(parseYaml('a.yaml', 'a: &x [*x]').diagnostics[0]?.code, 'yaml-recursive-alias');
  assert.equal(parseYaml('a.yaml', '['.repeat(100000)).diagnostics[0]?.code, 'yaml-syntax');
});

test('finds the place of a pointer', () => {
  const [document] = parseYaml(
    'a.yaml',
    'x: 1\n---\na:\n- b/c: text\n  d: &m {e: 1}\nf:\n  <<: *m\n',
  ).value.slice(1);
  assert.ok(document !== undefined);
  const at = (pointer: string) => locateInYaml(document, pointer);
  assert.deepEqual(at('/a/0/b~1c'), {
    key: { start: { line: 3, character: 2 }, end: { line: 3, character: 5 } },
    value: { start: { line: 3, character: 7 }, end: { line: 3, character: 11 } },
  });
  assert.deepEqual(at('/d/e')?.value, undefined);
  assert.deepEqual(at('/f/e')?.value.start, { line: 4, character: 12 });
  assert.equal(at('/a/1'), undefined);
});
