import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/base/json.ts';
import { compileTyped, compileUntyped, evaluateBoolean } from '../../src/lib/cel/celExpression.ts';
import type { OracleAnswer } from '../oracle/oracle.ts';
import { fuzzRange, withOracle } from './fuzzRun.ts';
import { randomOf, type Random } from './random.ts';

const object: JsonObject = {
  apiVersion: 'example.org/v1',
  kind: 'Widget',
  metadata: { name: 'web', generation: 3, labels: { app: 'web' }, annotations: {} },
  spec: {
    replicas: 3,
    ratio: 0.5,
    on: true,
    off: false,
    text: 'aéb',
    empty: '',
    none: null,
    list: [1, 2, 3],
    mixed: [1, 'a', null, { a: 1 }],
    time: '2026-01-02T03:04:05Z',
    span: '90s',
  },
  status: {
    replicas: 2,
    conditions: [
      { type: 'Ready', status: 'True', n: 1 },
      { type: 'Synced', status: 'False' },
    ],
  },
};

const fields = [
  'metadata',
  'spec',
  'status',
  'name',
  'generation',
  'labels',
  'app',
  'replicas',
  'ratio',
  'on',
  'off',
  'text',
  'empty',
  'none',
  'list',
  'mixed',
  'conditions',
  'type',
  'missing',
  'a',
];
const paths = [
  'metadata.name',
  'metadata.generation',
  'metadata.labels',
  'spec.replicas',
  'spec.ratio',
  'spec.on',
  'spec.off',
  'spec.text',
  'spec.empty',
  'spec.none',
  'spec.list',
  'spec.mixed',
  'spec.time',
  'spec.span',
  'status.replicas',
  'status.conditions',
  'status.missing',
  'missing',
  'kind',
];
const literals = [
  '1',
  '2',
  '0',
  '-1',
  '3u',
  '1.5',
  '2.0',
  '-0.5',
  "'a'",
  "''",
  "'web'",
  "'é'",
  'true',
  'false',
  'null',
  "b'a'",
  '[]',
  '{}',
  '[1, 2]',
  "['a', 'b']",
  "{'a': 1}",
  '{1: 2}',
  'optional.none()',
  'optional.of(1)',
  "duration('1m')",
  "timestamp('2026-01-02T00:00:00Z')",
  'int',
  '9223372036854775807',
];
const operators = [
  '==',
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  '+',
  '-',
  '*',
  '/',
  '%',
  '&&',
  '||',
  'in',
  '&&',
  '||',
];
const functions = [
  'size',
  'string',
  'int',
  'uint',
  'double',
  'bool',
  'bytes',
  'duration',
  'timestamp',
  'dyn',
  'type',
  'optional.of',
  'optional.ofNonZeroValue',
  'base64.encode',
  'base64.decode',
  'strings.quote',
  'nope',
];
const methods0 = [
  'size',
  'lowerAscii',
  'upperAscii',
  'trim',
  'reverse',
  'join',
  'hasValue',
  'value',
  'getSeconds',
  'getHours',
  'getFullYear',
  'getDayOfYear',
  'getMilliseconds',
  'first',
  'last',
  'nope',
];
const methods1 = [
  'contains',
  'startsWith',
  'endsWith',
  'matches',
  'indexOf',
  'lastIndexOf',
  'split',
  'join',
  'charAt',
  'substring',
  'or',
  'orValue',
  'getHours',
  'format',
];
const macros = ['all', 'exists', 'exists_one', 'map', 'filter', 'existsOne', 'optMap', 'optFlatMap'];

function expression(random: Random, depth: number, variables: readonly string[]): string {
  const inner = (more: readonly string[] = []): string =>
    expression(random, depth + 1, [...variables, ...more]);
  if (depth > 3 || random.chance(12)) return atom(random, variables);
  switch (random.below(16)) {
    case 0:
      return `(${inner()} ? ${inner()} : ${inner()})`;
    case 1:
      return `${random.pick(['!', '-'])}${atom(random, variables)}`;
    case 2:
      return `${atom(random, variables)}${random.chance(30) ? '.?' : '.'}${random.pick(fields)}`;
    case 3:
      return `${atom(random, variables)}[${random.chance(25) ? '?' : ''}${inner()}]`;
    case 4:
      return `${random.pick(functions)}(${random.chance(95) ? inner() : ''})`;
    case 5:
      return `${target(random, variables)}.${random.pick(methods0)}()`;
    case 6:
    case 7:
      return `${target(random, variables)}.${random.pick(methods1)}(${inner()})`;
    case 8:
    case 9: {
      const variable = random.pick(['x', 'y']);
      return `${target(random, variables)}.${random.pick(macros)}(${variable}, ${inner([variable])})`;
    }
    case 10:
      return `has(${atom(random, variables)}.${random.pick(fields)})`;
    case 11:
      return random.chance(50) ? `[${inner()}, ${inner()}]` : `{${random.pick(literals)}: ${inner()}}`;
    default:
      return `(${inner()} ${random.pick(operators)} ${inner()})`;
  }
}

function atom(random: Random, variables: readonly string[]): string {
  if (variables.length > 0 && random.chance(50)) return random.pick(variables);
  return random.chance(45) ? random.pick(paths) : random.pick(literals);
}

function target(random: Random, variables: readonly string[]): string {
  const text = atom(random, variables);
  return /^[-0-9]/.test(text) ? `(${text})` : text;
}

/** Only bools come out of Flux's expressions; a comparison makes one of anything. */
function question(seed: number): string {
  const random = randomOf(seed);
  const text = expression(random, 0, []);
  return random.chance(50) ? text : `${text} == ${atom(random, [])}`;
}

/** The value, or when it failed: the words of nonsense do not matter. */
function comparable({ output, error }: OracleAnswer): unknown {
  if (error === undefined) return output;
  return /^failed to evaluate/.test(error) ? 'failed' : 'refused before evaluation';
}

async function checkAll(
  askedWith: (expression: string) => JsonObject,
  answer: (expression: string) => OracleAnswer,
): Promise<void> {
  const { firstSeed, count } = fuzzRange(3000);
  const texts = Array.from({ length: count }, (_, index) => question(firstSeed + index));
  await withOracle(async (oracle) => {
    const answers = await Promise.all(texts.map((text) => oracle.ask('cel', askedWith(text))));
    const differences = texts.flatMap((text, index) => {
      const [actual, expected] = [comparable(answer(text)), comparable(answers[index] as OracleAnswer)];
      return actual === expected ? [] : [{ text, actual, expected }];
    });
    assert.deepEqual(differences.slice(0, 25), [], `${differences.length} of ${count} differ`);
  });
}

test('random health expressions give what cel-go gives', async () => {
  await checkAll(
    (text) => ({ expression: text, object }),
    (text) => {
      const compiled = compileUntyped(text);
      if ('fault' in compiled) return { error: compiled.fault.message };
      const result = evaluateBoolean(compiled.compiled, object);
      return 'value' in result ? { output: result.value } : result;
    },
  );
});

test('random ready expressions give what cel-go gives', async () => {
  const variables = {
    metadata: object['metadata'] ?? null,
    spec: object['spec'] ?? null,
    status: object['status'] ?? null,
    kind: {},
    missing: {},
  };
  await checkAll(
    (text) => ({ expression: text, variables }),
    (text) => {
      const compiled = compileTyped(text, Object.keys(variables));
      if ('fault' in compiled) return { error: compiled.fault.message };
      const result = evaluateBoolean(compiled.compiled, variables);
      return 'value' in result ? { output: result.value } : result;
    },
  );
});
