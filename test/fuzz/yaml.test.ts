import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson, stringifyJson, type JsonValue } from '../../src/base/json.ts';
import { parseYaml } from '../../src/kube/yaml.ts';
import { printYaml } from '../../src/kube/yamlPrint.ts';
import { parseExactJson } from '../contract/yaml/exactJson.ts';
import { fuzzRange, withOracle } from './fuzzRun.ts';
import { randomOf, type Random } from './random.ts';

const characters = [
  ...[
    'a',
    'b',
    'Z',
    '0',
    '1',
    '9',
    ' ',
    ' ',
    ' ',
    '\n',
    '\n',
    '\t',
    ':',
    ': ',
    ' #',
    '#',
    '-',
    '- ',
    '?',
    '? ',
  ],
  ...[
    '[',
    ']',
    '{',
    '}',
    ',',
    '&',
    '*',
    '!',
    '|',
    '>',
    "'",
    '"',
    '%',
    '@',
    '`',
    '\\',
    '=',
    '<<',
    '~',
    '.',
    '...',
  ],
  ...['---', 'true', 'null', 'yes', '0x', '1e3', '12:30', '2024-01-02', 'é', '日', '🙂', '\u00a0'],
  ...[
    '\u0007',
    '\u001b',
    '\r',
    'long text of several words that goes on and on',
    '_',
    '+',
    '/',
    '$',
    '(',
    ')',
    ';',
    '^',
  ],
] as const;

function randomText(random: Random): string {
  let text = '';
  for (let count = random.below(random.chance(30) ? 30 : 7); count > 0; count--)
    text += random.pick(characters);
  return text;
}

function randomValue(random: Random, depth: number): JsonValue {
  switch (random.below(depth > 3 ? 5 : 8)) {
    case 0:
      return random.pick([
        0,
        1,
        -1,
        10,
        0.5,
        1.25,
        1e21,
        1e-7,
        123456789012,
        9007199254740993n,
        true,
        false,
        null,
      ]);
    case 5:
      return Array.from({ length: random.below(4) }, () => randomValue(random, depth + 1));
    case 6:
    case 7:
      return Object.fromEntries(
        Array.from(
          { length: random.below(4) },
          () => [randomText(random), randomValue(random, depth + 1)] as const,
        ),
      );
    default:
      return randomText(random);
  }
}

/** Text that looks like a file: mostly well formed, with odd scalars and indents. */
function randomDocument(random: Random, indent: number): string {
  const pad = ' '.repeat(indent);
  const lines: string[] = [];
  const isList = random.chance(30);
  for (let count = 1 + random.below(4); count > 0; count--) {
    const head = isList ? `${pad}-` : `${pad}${randomKey(random)}:`;
    if (indent < 6 && random.chance(30)) {
      lines.push(
        `${head}${random.chance(10) ? ' # note' : ''}`,
        randomDocument(random, indent + random.pick([1, 2, 2, 4])),
      );
    } else {
      lines.push(`${head} ${randomScalar(random, pad)}`);
    }
    if (random.chance(5)) lines.push(random.pick(['', '# comment', `${pad}# comment`, '   ']));
  }
  return lines.join('\n');
}

function randomKey(random: Random): string {
  return random.pick([
    'a',
    'b',
    'key',
    'x y',
    '"q"',
    "'s'",
    '1',
    '? k',
    'true',
    '&a k',
    '!!str 1',
    '<<',
    'é',
    'a:b',
    '-',
    '2024-01-02',
  ]);
}

function randomScalar(random: Random, pad: string): string {
  // Odd tags and lone carriage returns are known differences of no consequence.
  const text = randomText(random).replaceAll(/[\n\r!]/g, ' ');
  switch (random.below(9)) {
    case 0:
      return JSON.stringify(text);
    case 1:
      return `'${text.replaceAll("'", "''")}'`;
    case 2:
      return `|${random.pick(['', '-', '+'])}\n${pad}  ${text}\n${pad}  more`;
    case 3:
      return `>${random.pick(['', '-', '+'])}\n${pad}  ${text}\n\n${pad}  more\n${pad}   indented`;
    case 4:
      return `[${text}, b]`;
    case 5:
      return `{a: ${text}, b}`;
    case 6:
      return random.pick([
        'yes',
        '010',
        '0x1F',
        '1e3',
        '~',
        '',
        '*a',
        '&a v',
        '!!int "3"',
        '2024-01-02',
        '.5',
        '1_000',
        '- x',
        '12:30',
      ]);
    case 7:
      return `"${text}\n${pad}  ${randomText(random).replaceAll(/["\\\n\r]/g, '')}"`;
    default:
      return text;
  }
}

/** JSON as Go writes it. */
function goJson(value: JsonValue): string {
  const escape = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return stringifyJson(value).replaceAll(/[<>&\u2028\u2029]/g, escape);
}

test('random values print as sigs.k8s.io/yaml prints them', async () => {
  const { firstSeed, count } = fuzzRange(3000);
  const values = Array.from({ length: count }, (_, index) => randomValue(randomOf(firstSeed + index), 0));
  await withOracle(async (oracle) => {
    const answers = await Promise.all(
      values.map((value) => oracle.ask('yaml', { text: goJson(value), direction: 'fromJSON' })),
    );
    const differences = values.flatMap((value, index) => {
      const { output: expected, error } = answers[index] ?? {};
      const actual = printYaml(value);
      // Go reads its own JSON as YAML there and stumbles over some keys.
      return actual === expected || error !== undefined ? [] : [{ value, actual, expected }];
    });
    assert.deepEqual(differences.slice(0, 5), [], `${differences.length} of ${count} differ`);
  });
});

test('random files are read as sigs.k8s.io/yaml reads them, or refused', async () => {
  const { firstSeed, count } = fuzzRange(3000);
  const texts = Array.from({ length: count }, (_, index) => randomDocument(randomOf(firstSeed + index), 0));
  await withOracle(async (oracle) => {
    const answers = await Promise.all(texts.map((text) => oracle.ask('yaml', { text, direction: 'toJSON' })));
    const differences = texts.flatMap((text, index) => {
      const { output, error } = answers[index] ?? {};
      const { value, diagnostics } = parseYaml('x.yaml', text);
      const refusal = diagnostics.find(({ severity }) => severity === 'error')?.message;
      const actual = refusal === undefined ? canonicalJson(value[0]?.value ?? null) : 'refused';
      const expected = error === undefined ? canonicalJson(parseExactJson(String(output))) : 'refused';
      // Stricter than go-yaml v2 as kustomize is: see the contract's known differences.
      const isStricter = actual === 'refused' && /twice|already|duplicate|behind|alias/i.test(refusal ?? '');
      return actual === expected || isStricter ? [] : [{ text, actual, expected, refusal, error }];
    });
    assert.deepEqual(differences.slice(0, 5), [], `${differences.length} of ${count} differ`);
  });
});
