import assert from 'node:assert/strict';
import { test } from 'node:test';
import { substituteText } from './envsubst.ts';

const variables = new Map([
  ['host', 'example.org'],
  ['empty', ''],
  ['flag', 'é'],
]);

function check(text: string, expected: unknown): void {
  assert.deepEqual(
    substituteText(text, (name) => variables.get(name)),
    expected,
  );
}

test('replaces variables, leaves plain dollars and halves double ones', () => {
  check('${host} $host $${host} $$', { text: 'example.org $host ${host} $' });
});

test('takes a default for a variable that is unset or empty', () => {
  check('${unset:=a} ${empty:-b} ${empty=c${host}}', { text: 'a b cexample.org' });
});

test('reports every variable that is not set, with its place', () => {
  check('a ${x} ${y:=${z}}', {
    errors: [
      { message: 'variable not set (strict mode): "x"', offset: 2, variable: 'x' },
      { message: 'variable not set (strict mode): "z"', offset: 7, variable: 'z' },
    ],
  });
});

test('reports the first expression that cannot be read', () => {
  check('${host} ${a-b} ${c', { errors: [{ message: 'missing closing brace', offset: 8 }] });
});

test('an operator may cut a character in half, and the text says so', () => {
  const result = substituteText('${flag:1}', (name) => variables.get(name));
  assert.ok('text' in result && !result.text.isWellFormed());
  check('${#flag}', { text: '2' });
});

test('refuses expressions nested without end instead of running out of stack', () => {
  check('${a:='.repeat(100_000), {
    errors: [{ message: 'expressions nested more than 500 deep', offset: 0 }],
  });
});

test('refuses variables that multiply each other instead of running out of memory', () => {
  const long = 'a'.repeat(1_000_000);
  const messages = (text: string): readonly string[] => {
    const result = substituteText(text, () => long);
    return 'errors' in result ? result.errors.map(({ message, offset }) => `${offset}: ${message}`) : [];
  };
  const refusal = 'variables make the text longer than 64 million characters';
  assert.deepEqual(messages('${a//a/${a}}'), [`0: ${refusal}`]);
  assert.deepEqual(messages('x${a}'.repeat(100)), [`${64 * 5 + 1}: ${refusal}`]);
  assert.deepEqual(messages('${a} ${a//a/bc} ${a//b/${a}}'), []);
});

test('trims a long value by a pattern at once, and refuses what would take hours', () => {
  const long = 'a'.repeat(1_000_000);
  const result = (text: string, value: string) => substituteText(text, () => value);
  assert.deepEqual(result('${v##*a*b}', long), { text: long });
  assert.deepEqual(result('${v%%b*a*}', long), { text: long });
  assert.deepEqual(result('${v##*a*}${v#*b}', `${long}bé`), { text: 'é' });
  const refusal = (offset: number, length: number) => ({
    errors: [{ message: `the pattern of v takes too long on a value of ${length} characters`, offset }],
  });
  assert.deepEqual(result(` \${v##*${'a'.repeat(1_000)}b}`, long), refusal(1, 1_000_000));
  assert.deepEqual(result('${v##*?b}', `é${long}`), refusal(0, 1_000_001));
});
