import type { Random } from './random.ts';

/** Values as people write them: words of YAML 1.1, numbers of all bases, quotes, blocks. */
const scalars = [
  'plain text',
  'yes',
  'Off',
  'n',
  'y',
  'True',
  '~',
  'NULL',
  '',
  '012',
  '0o14',
  '0x1F',
  '0b11',
  '1_000',
  '1e3',
  '.5',
  '-.inf',
  '+1',
  '1:30',
  '190:20:30.15',
  '2024-01-02',
  '2024-01-02T03:04:05Z',
  '12345678901234567890',
  '3.10',
  '"double \\u00e9 \\n end"',
  "'it''s'",
  '"yes"',
  "'1'",
  '!!str 5',
  '!!int "5"',
  '!!float 3',
  'a # comment',
  '"a # none"',
  '=',
  '<<',
  '-x',
  '?x',
  ':x',
  'a:b',
  'http://example.org/#x',
  '[a, "b", 3]',
  '{a: 1, b: {c: [d]}}',
  '[]',
  '{}',
  '|\n      two\n        lines\n',
  '|-\n      stripped',
  '|+\n      kept\n\n',
  '|2\n       lead\n',
  '>\n      folded\n      text\n\n      more\n',
  '>-\n      folded and\n      stripped',
  'two\n      lines plain',
  '"two\n      lines quoted"',
  '&anchor shared',
  '*anchor',
] as const;

/** A file of one or more objects as a person would write them. */
export function rawObjects(random: Random, folder: string): string {
  const count = 1 + random.below(3);
  const documents = Array.from({ length: count }, (_, index) => rawObject(random, `raw-${folder}-${index}`));
  const separator = random.pick(['---\n', '---\n', '---\n---\n', '--- # next\n', '---\n# nothing\n---\n']);
  const start = random.pick(['', '', '---\n', '# about this file\n', '%YAML 1.1\n---\n', '\n\n']);
  const end = random.pick(['', '', '...\n', '---\n', '\n# the end\n']);
  const text = start + documents.join(separator) + end;
  return random.chance(8) ? text.replaceAll('\n', '\r\n') : text;
}

function rawObject(random: Random, name: string): string {
  const kind = random.pick(['ConfigMap', 'Widget', 'Widget', 'Secret']);
  const head =
    kind === 'Widget'
      ? 'apiVersion: example.org/v1\nkind: Widget\n'
      : `apiVersion: v1 # core\nkind: "${kind}"\n`;
  const quoted = random.pick([name, `"${name}"`, `'${name}'`]);
  const metadata = random.pick([
    `metadata:\n  name: ${quoted}\n`,
    `metadata:\n    name: ${quoted}\n    labels: {app: web, tier: "1"}\n`,
    `metadata: {name: ${quoted}, annotations: {note: x}}\n`,
    `metadata:\n  # the name\n  name: ${quoted}\n  annotations:\n    note: ${random.pick(['"1"', 'x', '|\n      a\n      b'])}\n`,
  ]);
  const field = kind === 'Widget' ? 'spec' : kind === 'Secret' ? 'stringData' : 'data';
  return `${head}${metadata}${field}:\n${fields(random)}`;
}

function fields(random: Random): string {
  const keys = random.some(['a', 'b', 'image', '"quoted key"', 'secretName', 'z.y', 'list', 'merged'], 55);
  const lines = keys.map((key) => {
    if (key === 'list') return list(random);
    if (key === 'merged')
      return '  base: &base {k: v, l: 1}\n  merged:\n    <<: *base\n    l: 2\n  again: *base\n';
    const scalar = random.pick(scalars);
    return `  ${key}: ${scalar}${scalar.endsWith('\n') ? '' : '\n'}`;
  });
  return lines.length === 0 ? '  only: one\n' : lines.join('');
}

function list(random: Random): string {
  const indent = random.pick(['  ', '    ']);
  const items = random.some(['name: a', 'name: b', '{id: 3}', 'plain', '- nested', '"x"', '~'], 50);
  return `  list:\n${items.map((item) => `${indent}- ${item}\n`).join('')}`;
}
