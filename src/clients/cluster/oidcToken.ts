import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isJsonObject, parseJson, type JsonObject, type JsonValue } from '../../base/json.ts';
import { plumbError } from '../../base/plumbError.ts';
import { isPrivateUrl, requestJson } from '../http/requestJson.ts';
import type { ProviderConfig, StoredLogin } from './storedLogin.ts';

/** The token of a kubeconfig user whose auth-provider is `oidc`, refreshed at its issuer when it has expired. */
export interface OidcToken {
  /** Throws AuthenticationFailed, without any token in its text. */
  current(): Promise<string>;
  /** The server refused that token; true when another one can be had. */
  drop(refused: string): boolean;
}

export interface OidcOptions {
  /** Names the login in errors. */
  readonly contextName: string;
  /** What `config` of the auth-provider says. */
  readonly config: ProviderConfig;
  /** The kubeconfig's folder: files are relative to it. */
  readonly folder: string | undefined;
  /** Where the login is kept, and read again before it is renewed: another program may have done that. */
  readonly stored: StoredLogin | undefined;
  /** Told when a renewed login could not be kept there. */
  readonly onNotKept: (error: unknown) => void;
}

/** A token about to expire is not used for a request that may still be under way then. */
const expiryMarginMs = 10_000;

/**
 * As kubectl does it: the id-token until it expires, then one from the refresh-token. Both are written back, as an issuer may
 * take each refresh-token only once.
 */
export function oidcToken(options: OidcOptions): OidcToken {
  const { config, stored } = options;
  let kept = idTokenOf(config);
  let refreshToken = textOf(config['refresh-token']);
  let refused: string | undefined;
  let running: Promise<string> | undefined;
  const renew = async (): Promise<string> => {
    const present = await stored?.read();
    const found = present === undefined ? undefined : idTokenOf(present);
    refreshToken = textOf(present?.['refresh-token']) ?? refreshToken;
    if (found !== undefined && found.token !== refused && isGood(found)) {
      kept = found;
      return found.token;
    }
    const answer = await refreshLogin(options, refreshToken);
    refreshToken = answer.refreshToken ?? refreshToken;
    kept = { token: answer.idToken, expiresAt: expiryOf(answer.idToken) ?? Infinity };
    const values = {
      'id-token': answer.idToken,
      ...(answer.refreshToken !== undefined && { 'refresh-token': answer.refreshToken }),
    };
    await stored?.write(values).catch(options.onNotKept);
    return answer.idToken;
  };
  return {
    async current() {
      if (kept !== undefined && isGood(kept)) return kept.token;
      running ??= renew().finally(() => (running = undefined));
      return running;
    },
    drop(token) {
      if (refreshToken === undefined) return false;
      refused = token;
      if (kept?.token === token) kept = undefined;
      return true;
    },
  };
}

interface IdToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

function idTokenOf(config: ProviderConfig): IdToken | undefined {
  const token = textOf(config['id-token']);
  return token === undefined ? undefined : { token, expiresAt: expiryOf(token) ?? 0 };
}

function isGood({ expiresAt }: IdToken): boolean {
  return expiresAt - expiryMarginMs > Date.now();
}

interface Refreshed {
  readonly idToken: string;
  readonly refreshToken: string | undefined;
}

async function refreshLogin(options: OidcOptions, refreshToken: string | undefined): Promise<Refreshed> {
  const { config, contextName } = options;
  const fail = (problem: string, cause?: unknown): Error =>
    plumbError('AuthenticationFailed', {
      message: `context ${contextName}: the login through OIDC ${problem}`,
      hint: 'log in again with the program that wrote this kubeconfig; kubelogin (kubectl oidc-login) as an exec plugin does it by itself',
      ...(cause !== undefined && { cause }),
    });
  const issuer = textOf(config['idp-issuer-url']);
  const clientId = textOf(config['client-id']);
  if (refreshToken === undefined || issuer === undefined || clientId === undefined) {
    const needed = { 'refresh-token': refreshToken, 'idp-issuer-url': issuer, 'client-id': clientId };
    const missing = Object.entries(needed).flatMap(([key, value]) => (value === undefined ? [key] : []));
    throw fail(`has expired, and the kubeconfig has no ${missing.join(' and no ')} to renew it`);
  }
  const send = jsonSender(await authorities(options, fail), fail);
  const discovered = await send(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const endpoint = textOf(discovered.body['token_endpoint']);
  if (discovered.status !== 200 || endpoint === undefined)
    throw fail(`cannot be renewed: ${issuer} answered ${discovered.status} and named no token endpoint`);
  if (textOf(discovered.body['issuer']) !== issuer)
    throw fail(`cannot be renewed: ${issuer} says that it is ${String(discovered.body['issuer'])}`);
  const secret = textOf(config['client-secret']);
  const methods = discovered.body['token_endpoint_auth_methods_supported'];
  // Basic is the standard's default where the issuer says nothing.
  const inBody = Array.isArray(methods) && !methods.includes('client_secret_basic');
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    ...((secret === undefined || inBody) && { client_id: clientId }),
    ...(secret !== undefined && inBody && { client_secret: secret }),
  });
  const answer = await send(endpoint, {
    form,
    ...(secret !== undefined && !inBody && { authorization: basic(clientId, secret) }),
  });
  const idToken = textOf(answer.body['id_token']);
  if (answer.status === 200 && idToken !== undefined)
    return { idToken, refreshToken: textOf(answer.body['refresh_token']) };
  const words = [answer.body['error'], answer.body['error_description']].flatMap(
    (text) => textOf(text) ?? [],
  );
  throw fail(
    answer.status === 200
      ? `cannot be renewed: ${issuer} gave no id_token`
      : `cannot be renewed: ${issuer} answered ${answer.status}${words.length === 0 ? '' : ` (${words.join(': ')})`}`,
  );
}

type Fail = (problem: string, cause?: unknown) => Error;

async function authorities({ config, folder }: OidcOptions, fail: Fail): Promise<string[] | undefined> {
  const data = textOf(config['idp-certificate-authority-data']);
  if (data !== undefined) return [Buffer.from(data, 'base64').toString()];
  const file = textOf(config['idp-certificate-authority']);
  if (file === undefined) return undefined;
  const path = folder === undefined ? file : resolve(folder, file);
  try {
    return [await readFile(path, 'utf8')];
  } catch (error) {
    throw fail(
      `cannot be renewed: ${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? ''}`,
      error,
    );
  }
}

interface JsonAnswer {
  readonly status: number;
  /** Empty for an answer that is no JSON object. */
  readonly body: JsonObject;
}

interface Post {
  readonly form: URLSearchParams;
  readonly authorization?: string;
}

/** Asks by GET, or by POST with a form. Plain HTTP is for loopback only: the tokens would travel in the open. */
function jsonSender(
  ca: string[] | undefined,
  fail: Fail,
): (address: string, post?: Post) => Promise<JsonAnswer> {
  return async (address, post) => {
    const url = URL.parse(address);
    if (url === null || !isPrivateUrl(url)) throw fail(`cannot be renewed: ${address} is no https address`);
    try {
      const { status, value } = await requestJson({
        method: post === undefined ? 'GET' : 'POST',
        url,
        ...(ca !== undefined && { ca }),
        headers: {
          ...(post !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
          ...(post?.authorization !== undefined && { authorization: post.authorization }),
        },
        ...(post !== undefined && { body: post.form.toString() }),
      });
      return { status, body: isJsonObject(value) ? value : {} };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw fail(`cannot be renewed: ${url.origin} cannot be reached: ${code ?? message}`, error);
    }
  };
}

function parsed(text: string): JsonObject {
  try {
    const value = parseJson(text);
    return isJsonObject(value) ? value : {};
  } catch {
    // The text may hold a token: it is not told.
    return {};
  }
}

/** As RFC 6749 has it: both parts encoded as in a form first. */
function basic(clientId: string, secret: string): string {
  const encoded = (text: string): string => new URLSearchParams({ a: text }).toString().slice(2);
  return `Basic ${Buffer.from(`${encoded(clientId)}:${encoded(secret)}`).toString('base64')}`;
}

/** When the token expires, in milliseconds since the epoch; undefined for one that does not say. */
function expiryOf(token: string): number | undefined {
  const payload = parsed(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return typeof payload['exp'] === 'number' ? payload['exp'] * 1000 : undefined;
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
