import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';
import { FileTree } from './fileTree.ts';
import { canonicalJson, equalJson, stringifyJson } from './json.ts';
import { mapLimit } from './mapLimit.ts';
import {
  asPlumbError,
  errorCodes,
  exitCodeOf,
  isPlumbError,
  plumbError,
  plumbErrorFromJson,
} from './plumbError.ts';
import { Secret } from './secret.ts';
import { joinTreePath, relativeTreePath } from './treePath.ts';

test('a FileTree shares what did not change and forgets what was removed', () => {
  const tree = FileTree.from([
    ['apps/web.yaml', 'kind: A'],
    ['apps/base/db.yaml', 'kind: B'],
  ]);
  const edited = tree.with('apps/web.yaml', 'kind: C').with('new.yaml', '');
  assert.equal(tree.text('apps/web.yaml'), 'kind: A');
  assert.equal(edited.text('apps/web.yaml'), 'kind: C');
  assert.equal(edited.get('apps/base/db.yaml'), tree.get('apps/base/db.yaml'));
  assert.deepEqual(edited.list(''), ['apps', 'new.yaml']);
  assert.deepEqual(edited.list('apps'), ['base', 'web.yaml']);
  assert.deepEqual([...edited.sub('apps').paths()], ['web.yaml', 'base/db.yaml']);
  assert.equal(edited.with('new.yaml', undefined).has('new.yaml'), false);
  assert.equal(edited.sizeBytes, 14);
  assert.equal(edited.isFolder('apps/base'), true);
  assert.equal(edited.isFolder('apps/web.yaml'), false);
});

test('a FileTree refuses paths that leave it and trees over the limit', () => {
  for (const path of ['../x', '/x', 'a/../b', './a', '']) {
    assert.throws(
      () => FileTree.from([[path, '']]),
      (error) => isPlumbError(error, 'InvalidPath'),
    );
  }
  assert.throws(
    () => FileTree.from([['big', new Uint8Array(64 * 1024 * 1024 + 1)]]),
    (error) => isPlumbError(error, 'TreeTooLarge') && error.hint !== undefined,
  );
});

test('paths are joined inside the root only', () => {
  assert.equal(joinTreePath('apps/web', '../base'), 'apps/base');
  assert.equal(joinTreePath('apps', '../../etc'), undefined);
  assert.equal(joinTreePath('apps', '/etc'), undefined);
  assert.equal(joinTreePath('', './a//b/.'), 'a/b');
  assert.equal(relativeTreePath('apps/web', 'apps/base/x'), '../base/x');
  assert.equal(relativeTreePath('a', 'a'), '.');
});

test('an error crosses a process and keeps code, subject, origin and hint, not its cause', () => {
  const origin = {
    path: 'a.yaml',
    range: { start: { line: 1, character: 2 }, end: { line: 1, character: 3 } },
  };
  const error = plumbError('BuildFailed', {
    subject: 'Kustomization/a/b',
    message: 'no such file',
    origin,
    hint: 'add it',
    cause: new Error('secret'),
  });
  const copy = plumbErrorFromJson(JSON.parse(JSON.stringify(error)) as ReturnType<typeof error.toJSON>);
  assert.equal(copy.message, 'Kustomization/a/b: no such file');
  assert.equal(copy.kind, 'stalled');
  assert.deepEqual(copy.details.origin, origin);
  assert.equal(copy.cause, undefined);
  assert.equal(JSON.stringify(error).includes('secret'), false);
});

test('every kind has its own exit code and the codes stand in alphabetical order', () => {
  assert.equal(new Set(errorCodes().map(([, kind]) => exitCodeOf(kind))).size, 5);
  const codes = errorCodes().map(([code]) => code);
  assert.deepEqual(
    codes,
    [...codes].sort((a, b) => (a < b ? -1 : 1)),
  );
  assert.equal(asPlumbError(new DOMException('stop', 'AbortError')).kind, 'cancelled');
  assert.equal(asPlumbError(new TypeError('x')).kind, 'bug');
});

test('a Secret prints as redacted everywhere', () => {
  const secret = new Secret('hunter2');
  for (const text of [
    `${secret.toString()}`,
    JSON.stringify({ secret }),
    inspect({ secret }),
    String(secret),
  ]) {
    assert.match(text, /\[redacted\]/);
    assert.doesNotMatch(text, /hunter2/);
  }
  assert.equal(secret.reveal(), 'hunter2');
});

test('mapLimit keeps order, bounds what runs, and stops at the first failure', async () => {
  let running = 0;
  let most = 0;
  const doubled = await mapLimit([1, 2, 3, 4, 5], 2, async (item) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    return item * 2;
  });
  assert.deepEqual(doubled, [2, 4, 6, 8, 10]);
  assert.equal(most, 2);
  const seen: number[] = [];
  await assert.rejects(
    mapLimit([1, 2, 3, 4], 1, (item) => {
      seen.push(item);
      return item === 2 ? Promise.reject(new Error('two')) : Promise.resolve(item);
    }),
    /two/,
  );
  assert.deepEqual(seen, [1, 2]);
  await assert.rejects(
    mapLimit([1], 1, () => Promise.resolve(1), AbortSignal.abort()),
    { name: 'AbortError' },
  );
});

test('JSON compares by value, keeps big integers and sorts keys for digests', () => {
  assert.equal(equalJson({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 }), true);
  assert.equal(equalJson({ a: 1 }, { a: 1, b: null }), false);
  assert.equal(equalJson([1, 2], [2, 1]), false);
  assert.equal(equalJson({ a: 1, b: undefined }, { a: 1 }), true);
  assert.equal(canonicalJson({ b: 1, a: 9007199254740993n }), '{"a":9007199254740993,"b":1}');
  assert.equal(stringifyJson({ b: 'x', a: [true, null] }), '{"b":"x","a":[true,null]}');
});
