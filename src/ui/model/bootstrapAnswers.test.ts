import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authChoices,
  bootstrapOptions,
  branchProblem,
  firstAnswers,
  keyFileProblem,
  namespaceProblem,
  pathProblem,
  repositoryUrl,
  urlProblem,
} from './bootstrapAnswers.ts';

test('git’s short form of an SSH address becomes the URL that Flux takes', () => {
  for (const [given, expected] of [
    ['git@example.com:team/fleet.git', 'ssh://git@example.com/team/fleet.git'],
    [' example.com:team/fleet ', 'ssh://git@example.com/team/fleet'],
    ['me@localhost:/srv/fleet.git', 'ssh://me@localhost/srv/fleet.git'],
    ['ssh://git@example.com:2222/fleet.git', 'ssh://git@example.com:2222/fleet.git'],
    ['https://example.com:8443/fleet.git', 'https://example.com:8443/fleet.git'],
    ['http://127.0.0.1:3000/fleet.git', 'http://127.0.0.1:3000/fleet.git'],
  ] as const)
    assert.equal(repositoryUrl(given), expected);
});

test('an address that nothing can be synced from is refused with what to write instead', () => {
  for (const [url, expected] of [
    ['', /needed/],
    ['fleet', /Use https/],
    ['file:///srv/fleet.git', /Use https/],
    ['https://me:secret@example.com/fleet.git', /Leave the password out/],
    ['https://example.com/', /path of the repository/],
    ['http://example.com/fleet.git', /clear text/],
  ] as const)
    assert.match(urlProblem(url) ?? '', expected, url);
  for (const url of [
    'http://[::1]:80/a',
    'http://localhost/a',
    'git@example.com:a/b',
    'https://example.com/a',
  ])
    assert.equal(urlProblem(url), undefined, url);
});

test('branch, folder, namespace and key file are judged as git and Kubernetes judge them', () => {
  for (const name of ['', 'a b', 'a..b', '-a', 'a.lock', 'a/', 'a~1', '@{x', '.a'])
    assert.ok(branchProblem(name) !== undefined, name);
  for (const name of ['main', 'release/1.2', 'back']) assert.equal(branchProblem(name), undefined, name);
  for (const path of ['../other', 'a/../../b', 'a\\b', '.git/hooks']) assert.ok(pathProblem(path), path);
  for (const path of ['', './clusters/dev', 'clusters/dev/'])
    assert.equal(pathProblem(path), undefined, path);
  for (const name of ['', 'Flux', 'flux_system', '-a', 'a'.repeat(64)])
    assert.ok(namespaceProblem(name), name);
  assert.equal(namespaceProblem('flux-system'), undefined);
  assert.ok(keyFileProblem('id_ed25519'));
  assert.equal(keyFileProblem('/home/me/.ssh/id'), undefined);
  assert.equal(keyFileProblem('C:\\keys\\id'), undefined);
});

test('ways to log in follow the address, the usual one first', () => {
  const types = (url: string) => authChoices(url).map(({ auth }) => auth.type);
  assert.deepEqual(types('ssh://git@example.com/a.git'), ['deployKey', 'deployKey', 'privateKeyFile']);
  assert.deepEqual(types('https://example.com/a.git'), ['password', 'bearer', 'none']);
  assert.deepEqual(types('http://127.0.0.1/a.git'), ['none', 'password', 'bearer']);
  assert.deepEqual(authChoices('https://me@example.com/a.git')[0]?.auth, {
    type: 'password',
    username: 'me',
  });
});

test('the folder’s own repository and a folder named after the context are proposed', () => {
  const answers = firstAnswers('git@example.com:team/fleet.git', 'kind-Dev Box');
  assert.equal(answers.url, 'ssh://git@example.com/team/fleet.git');
  assert.equal(answers.path, 'clusters/kind-dev-box');
  assert.equal(answers.auth.type, 'deployKey');
  const options = bootstrapOptions(answers);
  assert.equal(options.secretName, 'flux-system');
  assert.equal(options.allowInsecureHttp, false);
  assert.equal(firstAnswers(undefined, '').path, '');
});
