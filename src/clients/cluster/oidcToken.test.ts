import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { isPlumbError } from '../../base/plumbError.ts';
import { startOidcIssuer, unsignedToken } from '../../../test/servers/oidcIssuer.ts';
import { oidcToken, type OidcToken } from './oidcToken.ts';

const issuer = await startOidcIssuer();
after(() => issuer.close());

const expired = unsignedToken(1_000_000_000);
const fresh = unsignedToken(4_000_000_000);
const login = { 'id-token': expired, 'refresh-token': 'r1', 'client-id': 'me', 'idp-issuer-url': issuer.url };

beforeEach(() => {
  issuer.discovery = {};
  issuer.answers = { status: 200, body: { id_token: fresh, refresh_token: 'r2' } };
});

function tokenOf(config: Readonly<Record<string, string>>): OidcToken {
  return oidcToken({
    contextName: 'dev',
    config,
    folder: undefined,
    stored: undefined,
    onNotKept: (error) => assert.fail(String(error)),
  });
}

test('a token that is still good is used as it is', async () => {
  const before = issuer.grants.length;
  assert.equal(await tokenOf({ ...login, 'id-token': fresh }).current(), fresh);
  assert.equal(issuer.grants.length, before);
});

test('an expired token is renewed once for all who wait, and the new one is kept', async () => {
  const before = issuer.grants.length;
  const token = tokenOf(login);
  assert.deepEqual(await Promise.all([token.current(), token.current()]), [fresh, fresh]);
  assert.equal(await token.current(), fresh);
  assert.deepEqual(issuer.grants.slice(before), [
    { grant_type: 'refresh_token', refresh_token: 'r1', client_id: 'me' },
  ]);
});

test('a refused token is renewed with the latest refresh-token', async () => {
  const before = issuer.grants.length;
  const token = tokenOf(login);
  assert.equal(token.drop(await token.current()), true);
  await token.current();
  assert.deepEqual(
    issuer.grants.slice(before).map((grant) => grant['refresh_token']),
    ['r1', 'r2'],
  );
  assert.equal(tokenOf({ 'id-token': fresh }).drop(fresh), false, 'nothing to renew it with');
});

test('a client secret goes into the header, or into the form where the issuer takes only that', async () => {
  const withSecret = { ...login, 'client-secret': 's3cret:/' };
  await tokenOf(withSecret).current();
  const authorization = `Basic ${Buffer.from('me:s3cret%3A%2F').toString('base64')}`;
  assert.deepEqual(issuer.grants.at(-1), { grant_type: 'refresh_token', refresh_token: 'r1', authorization });
  issuer.discovery = { token_endpoint_auth_methods_supported: ['client_secret_post'] };
  await tokenOf(withSecret).current();
  const { client_id: id, client_secret: secret } = issuer.grants.at(-1) ?? {};
  assert.deepEqual([id, secret], ['me', 's3cret:/']);
});

test('what cannot be renewed says why and what to do, without a token', async () => {
  const cases: readonly (readonly [Readonly<Record<string, string>>, RegExp, () => void])[] = [
    [{ 'id-token': expired }, /no refresh-token and no idp-issuer-url and no client-id/, () => undefined],
    [
      login,
      /answered 400 \(invalid_grant: gone\)/,
      () => (issuer.answers = { status: 400, body: { error: 'invalid_grant', error_description: 'gone' } }),
    ],
    [login, /gave no id_token/, () => (issuer.answers = { status: 200, body: { access_token: 's3cret' } })],
    [login, /says that it is https:\/\/other/, () => (issuer.discovery = { issuer: 'https://other' })],
    [
      login,
      /http:\/\/example\.com\/token is no https/,
      () => {
        issuer.discovery = { token_endpoint: 'http://example.com/token' };
      },
    ],
    [
      { ...login, 'idp-issuer-url': 'http://127.0.0.1:1' },
      /127\.0\.0\.1:1 cannot be reached/,
      () => undefined,
    ],
    [
      { ...login, 'idp-certificate-authority': '/no/such' },
      /\/no\/such cannot be read: ENOENT/,
      () => undefined,
    ],
  ];
  for (const [config, pattern, prepare] of cases) {
    prepare();
    await assert.rejects(tokenOf(config).current(), (error) => {
      assert.ok(isPlumbError(error, 'AuthenticationFailed'), String(error));
      assert.match(error.message, pattern);
      assert.doesNotMatch(error.message, /s3cret|r1/);
      assert.match(error.hint ?? '', /log in again/);
      return true;
    });
    issuer.discovery = {};
  }
});
