import { plumbError, type PlumbError } from '../../base/plumbError.ts';
import { isPrivateUrl, requestJson, type JsonAnswer, type JsonRequest } from '../http/requestJson.ts';

/** Asks a key service or its login; throws DecryptionFailed where it cannot be reached. */
export async function askKeyService(request: JsonRequest): Promise<JsonAnswer> {
  try {
    return await requestJson(request);
  } catch (cause) {
    request.signal?.throwIfAborted();
    const { code, message } = cause as NodeJS.ErrnoException;
    throw plumbError('DecryptionFailed', {
      message: `cannot reach ${request.url.host}: ${message === '' ? (code ?? 'no answer') : message}`,
      cause,
    });
  }
}

/** What a service answered in place of what was asked: its status, and what can be done about it. */
export interface KeyRefusal {
  readonly service: string;
  readonly operation: 'encrypt' | 'decrypt';
  readonly status: number;
  /** What it says itself; see `shortWords`. */
  readonly words: readonly unknown[];
  readonly hint: string;
}

/** The failure for a request that a key service refused. */
export function keyRefused({ service, operation, status, words, hint }: KeyRefusal): PlumbError {
  const told = shortWords(words);
  return plumbError('DecryptionFailed', {
    message: `${service} refused to ${operation}: HTTP ${status}${told === '' ? '' : ` (${told})`}`,
    hint,
  });
}

/** The address of a service that is sent tokens: https, or plain HTTP on this machine. Throws DecryptionFailed. */
export function privateUrl(address: string, what: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url !== undefined && isPrivateUrl(url)) return url;
  throw plumbError('DecryptionFailed', { message: `the address of ${what} is no https URL` });
}

/** What a service says about a refusal: one short line. Services name principals and resources there, no secrets. */
export function shortWords(words: readonly unknown[]): string {
  const text = words
    .flatMap((word) => (typeof word === 'string' && word !== '' ? [word.split(/[\r\n]/)[0] ?? ''] : []))
    .join(': ');
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
