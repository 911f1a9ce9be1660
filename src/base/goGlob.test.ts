import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileGlob, compileStartGlob } from './goGlob.ts';

const cases: readonly (readonly [pattern: string, name: string, expected: boolean | 'malformed'])[] = [
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['*.yaml', 'app.yaml', true],
  ['*.yaml', 'app.yml', false],
  ['a*b*c', 'aXbYc', true],
  ['a*b*c', 'aXbYcZ', false],
  ['a*ab', 'aabab', true],
  ['?', 'é', true],
  ['??', 'é', false],
  ['*??', '日', true],
  ['[a-c]x', 'bx', true],
  ['[^a-c]x', 'bx', false],
  ['[^a-c]x', '日x', true],
  ['[\\]]', ']', true],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['[-a]', '-', 'malformed'],
  ['[]a]', 'a', 'malformed'],
  ['[a', 'a', 'malformed'],
  ['a\\', 'a', 'malformed'],
  ['[a-]', 'a', 'malformed'],
  ['a[*]b', 'a*b', true],
];

for (const [pattern, name, expected] of cases) {
  test(`${JSON.stringify(pattern)} on ${JSON.stringify(name)} is ${String(expected)}`, () => {
    const glob = compileGlob(pattern);
    assert.equal(glob === undefined ? 'malformed' : glob(Buffer.from(name)), expected);
  });
}

test('finds the starts of a name that match as trying each of them does', () => {
  const letters = ['', 'a', 'b', '*', '?', '[a-b]', 'é'];
  const patterns = letters.flatMap((first) =>
    letters.flatMap((second) =>
      letters.flatMap((third) => letters.map((fourth) => first + second + third + fourth)),
    ),
  );
  const differing: string[] = [];
  for (const pattern of patterns)
    for (const name of ['', 'a', 'abab', 'bbaab', 'aéb', 'éa'].map((text) => Buffer.from(text))) {
      const glob = compileGlob(pattern);
      const lengths = [...name.keys()]
        .map((index) => index + 1)
        .filter((length) => glob?.(name.subarray(0, length)));
      const starts = compileStartGlob(pattern);
      const found = [starts?.find(name, 'shortest'), starts?.find(name, 'longest')];
      const isSame = found[0] === lengths.at(0) && found[1] === lengths.at(-1);
      if (!isSame)
        differing.push(`${pattern} on ${name.toString()}: ${found.join(' ')} not ${lengths.join(' ')}`);
    }
  assert.deepEqual(differing, []);
});
