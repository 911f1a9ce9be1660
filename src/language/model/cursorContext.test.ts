import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cursorContext, type CursorContext } from './cursorContext.ts';

const head = 'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n';

/** The context at the `|` in a text. */
function contextAt(marked: string): CursorContext | undefined {
  const offset = marked.indexOf('¦');
  const before = marked.slice(0, offset).split('\n');
  const position = { line: before.length - 1, character: (before.at(-1) ?? '').length };
  return cursorContext(marked.replace('¦', ''), position);
}

function check(marked: string, expected: Partial<CursorContext> | undefined): void {
  const context = contextAt(marked);
  if (expected === undefined) {
    assert.equal(context, undefined);
    return;
  }
  assert.ok(context !== undefined, `no context in ${marked}`);
  for (const [name, value] of Object.entries(expected)) {
    assert.deepEqual(context[name as keyof CursorContext], value, `${name} in ${marked}`);
  }
}

const cases: readonly (readonly [
  name: string,
  marked: string,
  expected: Partial<CursorContext> | undefined,
])[] = [
  [
    'a key at the top',
    `${head}sp¦`,
    { path: [], at: 'key', prefix: 'sp', kind: 'Kustomization', siblings: ['kind', 'apiVersion'] },
  ],
  [
    'a key in a mapping, with what is there above and below',
    `${head}spec:\n  interval: 1m\n  pa¦\n  prune: true\nstatus: {}\n`,
    { path: ['spec'], at: 'key', prefix: 'pa', siblings: ['interval', 'prune'], column: 2 },
  ],
  [
    'an empty line, by its indentation',
    `${head}spec:\n  sourceRef:\n    ¦\n`,
    { path: ['spec', 'sourceRef'], at: 'key' },
  ],
  [
    'an empty line, one level out',
    `${head}spec:\n  sourceRef:\n    kind: x\n  ¦\n`,
    { path: ['spec'], siblings: ['sourceRef'] },
  ],
  ['a value', `${head}spec:\n  prune: t¦\n`, { path: ['spec', 'prune'], at: 'value', prefix: 't' }],
  ['a value not begun', `${head}spec:\n  prune: ¦\n`, { path: ['spec', 'prune'], at: 'value', prefix: '' }],
  [
    'a quoted value',
    `${head}spec:\n  path: "./a¦b"\n`,
    { path: ['spec', 'path'], at: 'value', prefix: './a' },
  ],
  [
    'the first key of a list element',
    `${head}spec:\n  dependsOn:\n    - na¦`,
    { path: ['spec', 'dependsOn', 0], at: 'key', column: 6 },
  ],
  [
    'a later key of a list element',
    `${head}spec:\n  dependsOn:\n    - name: a\n      ¦\n    - name: b\n`,
    { path: ['spec', 'dependsOn', 0], siblings: ['name'] },
  ],
  [
    'a list at the column of its key',
    `${head}spec:\n  dependsOn:\n  - name: a\n    namesp¦`,
    { path: ['spec', 'dependsOn', 0], at: 'key' },
  ],
  [
    'a value in a list element',
    `${head}spec:\n  dependsOn:\n  - name: a¦`,
    { path: ['spec', 'dependsOn', 0, 'name'], at: 'value' },
  ],
  ['a plain list element', 'resources:\n- a.yaml\n- b¦', { path: ['resources', 0], at: 'key', prefix: 'b' }],
  ['a list in a list', 'a:\n  - - x: 1\n      y¦', { path: ['a', 0, 0], at: 'key', siblings: ['x'] }],
  [
    'a second document',
    `${head}---\nkind: Alert\nspec:\n  prov¦`,
    { path: ['spec'], kind: 'Alert', apiVersion: undefined },
  ],
  ['the text of a block scalar', `${head}spec:\n  ignore: |\n    !/de¦`, undefined],
  [
    'behind a block scalar',
    `${head}spec:\n  ignore: |\n    /a\n  su¦`,
    { path: ['spec'], siblings: ['ignore'] },
  ],
  ['a comment', `${head}spec:\n  # inter¦`, undefined],
  ['below a scalar', `${head}spec:\n  interval: 1m\n      ¦`, undefined],
  ['a flow mapping', `${head}spec:\n  sourceRef: {ki¦}`, undefined],
  [
    'Windows line ends',
    `${head.replaceAll('\n', '\r\n')}spec:\r\n  in¦\r\n`,
    { path: ['spec'], kind: 'Kustomization' },
  ],
];

for (const [name, marked, expected] of cases) {
  test(`finds the place of ${name}`, () => check(marked, expected));
}

test('stays near the lines around it in a large text', () => {
  const block = 'a:\n  - b: 1\n    c: 2\n';
  const text = `${block.repeat(20_000)}spec:\n  x: `;
  const context = cursorContext(text, { line: 60_001, character: 5 });
  assert.deepEqual(context?.path, ['spec', 'x']);
});
