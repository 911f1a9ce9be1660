import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPlumbError } from '../base/plumbError.ts';
import { Secret } from '../base/secret.ts';
import {
  type BootstrapRequest,
  bootstrapTarget,
  type BootstrapTarget,
  normalizedSyncPath,
  type SyncAuth,
} from './bootstrapTarget.ts';

const password: SyncAuth = { type: 'password', username: 'me', password: new Secret('s3cret') };
const key: SyncAuth = { type: 'privateKey', identity: new Secret('key') };

function target(change: Partial<BootstrapRequest>): BootstrapTarget {
  return bootstrapTarget({
    url: 'https://git.example.com/team/fleet.git',
    branch: 'main',
    path: '',
    namespace: 'flux-system',
    secretName: 'flux-system',
    interval: '1m0s',
    authorName: 'Flux',
    authorEmail: '',
    recurseSubmodules: false,
    allowInsecureHttp: false,
    force: false,
    auth: { type: 'none' },
    ...change,
  });
}

test('the URL for the cluster has no user over HTTP, and one over SSH', () => {
  const cases: readonly (readonly [Partial<BootstrapRequest>, string])[] = [
    [{ url: 'https://me@git.example.com/fleet', auth: password }, 'https://git.example.com/fleet'],
    [{ url: 'https://git.example.com:8443/fleet' }, 'https://git.example.com:8443/fleet'],
    [{ url: 'ssh://git.example.com/fleet', auth: key }, 'ssh://git@git.example.com/fleet'],
    [{ url: 'ssh://me@git.example.com:2222/fleet', auth: key }, 'ssh://me@git.example.com:2222/fleet'],
    [{ url: 'git@git.example.com:team/fleet.git', auth: key }, 'ssh://git@git.example.com/team/fleet.git'],
    [
      { url: 'ssh://git@git.example.com/fleet', auth: key, sshHostname: 'git.internal' },
      'ssh://git@git.internal/fleet',
    ],
    [{ url: 'http://127.0.0.1:3000/fleet.git' }, 'http://127.0.0.1:3000/fleet.git'],
  ];
  for (const [change, expected] of cases) assert.equal(target(change).syncUrl, expected);
});

test('paths are cleaned, and one that leaves the repository is refused', () => {
  const cases: Readonly<Record<string, string>> = {
    '': 'flux-system',
    './': 'flux-system',
    'clusters/dev': 'clusters/dev/flux-system',
    './clusters//dev/': 'clusters/dev/flux-system',
    '/clusters/dev': 'clusters/dev/flux-system',
    'clusters/x/../dev': 'clusters/dev/flux-system',
  };
  for (const [path, folder] of Object.entries(cases)) assert.equal(target({ path }).folder, folder, path);
  for (const path of ['..', 'a/../../b', '.git', '.git/hooks', 'a\\b'])
    assert.throws(
      () => target({ path }),
      (error) => isPlumbError(error, 'InvalidPath'),
      path,
    );
  assert.equal(normalizedSyncPath('./clusters/dev'), normalizedSyncPath('/clusters/dev/'));
});

test('what cannot work is refused with a remedy, before anybody is asked', () => {
  const cases: readonly (readonly [Partial<BootstrapRequest>, RegExp])[] = [
    [{ url: 'fleet' }, /none that Flux can sync from/],
    [{ url: 'file:///srv/fleet.git' }, /none that Flux can sync from/],
    [{ url: 'ext::sh -c whoami' }, /none that Flux can sync from/],
    [{ url: 'https://git.example.com/' }, /names no repository/],
    [{ url: 'https://me:s3cret@git.example.com/fleet' }, /holds a password/],
    [{ url: 'http://git.example.com/fleet' }, /plain HTTP/],
    [{ url: 'ssh://git@git.example.com/fleet', auth: password }, /takes a key/],
    [{ auth: key }, /takes no SSH key/],
    [{ branch: '' }, /no name of a branch/],
    [{ branch: '--upload-pack=x' }, /no name of a branch/],
    [{ branch: 'a..b' }, /no name of a branch/],
    [{ branch: 'feature/' }, /no name of a branch/],
    [{ namespace: 'Flux System' }, /namespace "Flux System"/],
    [{ secretName: '-x' }, /secret name "-x"/],
    [{ interval: '1d' }, /interval "1d"/],
    [{ interval: '0s' }, /interval "0s"/],
  ];
  for (const [change, message] of cases) {
    assert.throws(
      () => target(change),
      (error) => {
        assert.ok(isPlumbError(error, 'InvalidConfiguration'), String(error));
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /s3cret/);
        assert.ok(error.hint);
        return true;
      },
      JSON.stringify(change),
    );
  }
  for (const branch of ['main', 'feature/x-1', 'release_2.9', 'ünïcode'])
    assert.equal(target({ branch }).request.branch, branch);
});
