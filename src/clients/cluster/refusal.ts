import { isJsonObject, parseJson, type JsonObject, type JsonValue } from '../../base/json.ts';
import { plumbError, type PlumbError } from '../../base/plumbError.ts';
import type { ProxyChoice } from '../http/environmentProxy.ts';
import { isTunnelFailure, type TunnelProblem } from '../http/tunnelFailure.ts';
import { kindNotServed, type Refusal } from './clusterClient.ts';

/** Reasons of answers that carry no Status, as apimachinery names them. */
const reasonByCode: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** What the server said, from its Status or, when a proxy in between answered, from the first line of the text. */
export function refusalFrom(httpStatus: number, body: string): Refusal {
  const status = statusOf(body);
  const details = isJsonObject(status?.['details']) ? status['details'] : {};
  const causes = Array.isArray(details['causes']) ? (details['causes'] as readonly JsonValue[]) : [];
  return {
    httpStatus,
    reason: textOf(status?.['reason']) ?? reasonByCode[httpStatus] ?? 'Unknown',
    message: textOf(status?.['message']) ?? firstLine(body) ?? `the server answered ${httpStatus}`,
    causes: causes.filter(isJsonObject).map((cause) => ({
      ...pick('field', cause['field']),
      ...pick('reason', cause['reason']),
      ...pick('message', cause['message']),
    })),
  };
}

/** The refusal of a request for a kind that is not served, in upstream's words. */
export function notServed(kind: string, apiVersion: string): Refusal {
  return {
    httpStatus: 404,
    reason: kindNotServed,
    message: `no matches for kind "${kind}" in version "${apiVersion}"`,
    causes: [],
  };
}

/** The failure to reach the server, through the proxy where there is one, with what can be done about it. */
export function unreachable(
  server: string,
  contextName: string,
  error: unknown,
  proxy: ProxyChoice | undefined,
): PlumbError {
  const { code, message } = error as NodeJS.ErrnoException;
  const words = message === undefined || message === '' ? (code ?? String(error)) : message;
  // A login in the proxy's address is not told.
  const way =
    proxy === undefined ? '' : ` through the proxy ${proxy.url.protocol}//${proxy.url.host} of ${proxy.from}`;
  return plumbError('ClusterUnreachable', {
    message: `${server} (context ${contextName})${way}: ${words}`,
    hint:
      proxy !== undefined && isTunnelFailure(error)
        ? proxyHint(error.tunnelProblem, proxy.from)
        : hintFor(code ?? ''),
    cause: error,
  });
}

function proxyHint(problem: TunnelProblem, from: string): string {
  const exempt = from.toLowerCase().endsWith('_proxy') ? ', or exempt the server with NO_PROXY' : '';
  switch (problem) {
    case 'unreachable':
      return `start the proxy, or correct its address in ${from}${exempt}`;
    case 'untrusted':
      return `the proxy's certificate is not trusted: add its authority to those of the system, or name it in NODE_EXTRA_CA_CERTS${exempt}`;
    case 'login':
      return `write user and password into the proxy's address in ${from}: scheme://user:password@host:port`;
    case 'refused':
      return `the proxy may not or cannot reach the server: check the server address, ask who runs the proxy${exempt}`;
  }
}

function hintFor(code: string): string {
  if (code === 'ECONNREFUSED')
    return 'nothing listens there: start the cluster, or correct the server address';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return 'the name cannot be resolved: check the network, the VPN and the server address';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return "the server's certificate is for another name: set tls-server-name in the kubeconfig";
  if (/CERT|SIGNATURE|ISSUER/.test(code))
    return "the server's certificate is not trusted: correct certificate-authority in the kubeconfig";
  if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
    return 'the server does not speak TLS as expected: check the scheme, the port and the proxy';
  if (code === 'ETIMEDOUT' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH')
    return 'no way to the server: check the network, the VPN and the proxy';
  return 'check the network and the API server, then try again';
}

function statusOf(body: string): JsonObject | undefined {
  if (!body.startsWith('{')) return undefined;
  try {
    const value = parseJson(body);
    return isJsonObject(value) ? value : undefined;
  } catch {
    // Not the server's own answer; the caller falls back to its text.
    return undefined;
  }
}

function pick(key: string, value: JsonValue | undefined): Record<string, string> {
  return typeof value === 'string' ? { [key]: value } : {};
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function firstLine(body: string): string | undefined {
  const line = body.trim().split('\n')[0]?.slice(0, 300) ?? '';
  return line === '' || line.startsWith('<') ? undefined : line;
}
