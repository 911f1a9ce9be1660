import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GitRepositorySpec } from '../../flux/api/source.gen.ts';
import { refChoice, revisionOf } from './gitCheckout.ts';

const hash = 'a'.repeat(40);

test('commit comes before name, tag, semver and branch; master is the default', () => {
  const all = { commit: hash, name: 'refs/pull/1/head', tag: 'v1', semver: '>=1.0.0', branch: 'main' };
  const cases: readonly (readonly [GitRepositorySpec['ref'], string])[] = [
    [all, `commit main@sha1:${hash}`],
    [{ commit: hash }, `commit sha1:${hash}`],
    [{ ...all, commit: '' }, `ref refs/pull/1/head@sha1:${hash}`],
    [{ tag: 'v1', branch: 'main' }, `tag v1@sha1:${hash}`],
    [{ branch: 'main' }, `branch main@sha1:${hash}`],
    [undefined, `branch master@sha1:${hash}`],
  ];
  for (const [ref, expected] of cases) {
    const choice = refChoice({ interval: '1m', url: 'https://x', ...(ref !== undefined && { ref }) });
    assert.ok(choice.type !== 'semver');
    assert.equal(`${choice.type} ${revisionOf(choice, hash)}`, expected);
  }
  assert.deepEqual(refChoice({ interval: '1m', url: '', ref: { semver: '>=1.0.0', branch: 'x' } }), {
    type: 'semver',
    range: '>=1.0.0',
  });
});

test('a repository with sha256 objects has sha256 revisions', () => {
  assert.equal(
    revisionOf({ type: 'branch', branch: 'main' }, 'b'.repeat(64)),
    `main@sha256:${'b'.repeat(64)}`,
  );
});
