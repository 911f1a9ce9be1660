import assert from 'node:assert/strict';
import { test } from 'node:test';
import { substituteText } from '../../src/lib/envsubst/envsubst.ts';
import type { OracleAnswer } from '../oracle/oracle.ts';
import { fuzzRange, withOracle } from './fuzzRun.ts';
import { randomOf, type Random } from './random.ts';

const pieces = [
  ...[
    '$',
    '{',
    '}',
    '${',
    '$$',
    '#',
    '##',
    '%',
    '%%',
    '/',
    '//',
    '/#',
    '/%',
    ':',
    ':=',
    ':-',
    ':?',
    ':+',
    '=',
  ],
  ...[
    '^',
    '^^',
    ',',
    ',,',
    '*',
    '?',
    '[',
    ']',
    '[a-c]',
    '[^a]',
    '\\',
    '\\/',
    '\\\\',
    '-',
    '-1',
    '0',
    '1',
    '2',
    '99',
  ],
  ...['a', 'b', 'V', 'W', 'E', 'unset', 'x y', '\n', 'é', '日', '🙂', '.', '|', '"', '\0', 'ß', 'ǆ', 'İ'],
];
const operators = [
  '',
  ':=',
  '=',
  ':-',
  '#',
  '##',
  '%',
  '%%',
  '/',
  '//',
  '/#',
  '/%',
  ':',
  '^',
  '^^',
  ',',
  ',,',
];
const variables: Readonly<Record<string, string>> = {
  V: 'abcabc',
  W: '/é日/a.b.ß',
  E: '',
  a: '1',
  b: '*',
};

function randomTemplate(random: Random, depth: number): string {
  let text = '';
  for (let count = random.below(5); count > 0; count--) {
    text += depth < 3 && random.chance(35) ? randomExpression(random, depth) : random.pick(pieces);
  }
  return text;
}

function randomExpression(random: Random, depth: number): string {
  const args = Array.from({ length: random.below(3) }, () => randomTemplate(random, depth + 1));
  const separator = random.pick(['/', ':', '/']);
  return `\${${random.pick(Object.keys(variables))}${random.pick(operators)}${args.join(separator)}}`;
}

function answer(text: string): OracleAnswer {
  const result = substituteText(text, (name) => variables[name]);
  if ('text' in result) return { output: result.text.toWellFormed() };
  return { error: result.errors[0]?.message ?? '' };
}

test('random templates give what fluxcd/pkg envsubst gives', async () => {
  const { firstSeed, count } = fuzzRange(2000);
  const texts = Array.from({ length: count }, (_, index) => randomTemplate(randomOf(firstSeed + index), 0));
  await withOracle(async (oracle) => {
    const answers = await Promise.all(texts.map((text) => oracle.ask('envsubst', { text, variables })));
    const differences = texts.flatMap((text, index) => {
      const { output, error } = answers[index] as OracleAnswer;
      const expected = error === undefined ? { output } : { error };
      const actual = answer(text);
      return JSON.stringify(actual) === JSON.stringify(expected) ? [] : [{ text, actual, expected }];
    });
    assert.deepEqual(differences.slice(0, 5), []);
  });
});
