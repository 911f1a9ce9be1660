import type { DurationMs } from '../base/duration.ts';
import { isPlumbError } from '../base/plumbError.ts';
import type { Answer } from '../clients/cluster/clusterClient.ts';
import { isTypeError } from './complaints.ts';
import type { Clock } from './runContext.ts';

/** Times a call is sent at most; with one failure in five, one call in three thousand fails. */
const tries = 5;
const firstPauseMs: DurationMs = 100;
/** A call whose first try began longer ago is not sent again: one timeout after another would hold a run up for ever. */
const patienceMs: DurationMs = 90_000;

/** Connections that broke or never answered; what names no way to the server at all will not be mended by asking again. */
const brokenCodes: ReadonlySet<string> = new Set([
  'ECONNABORTED',
  'ECONNRESET',
  'EPIPE',
  'ERR_TRUNCATED',
  'ETIMEDOUT',
]);

/**
 * Sends a call until it is answered, with growing pauses: again where the connection broke, and where the answer is temporary.
 * After five times, ninety seconds or the signal's abort it ends as the last try did. Only for calls that may be done twice.
 */
export async function resend<T>(
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  send: () => Promise<T>,
  isTemporary: (answer: T) => boolean,
): Promise<T> {
  const until = clock.now() + patienceMs;
  for (let attempt = 1; ; attempt++) {
    const isLast = (): boolean => attempt === tries || signal.aborted || clock.now() >= until;
    try {
      const answer = await send();
      if (!isTemporary(answer) || isLast()) return answer;
    } catch (error) {
      if (!isBroken(error) || isLast()) throw error;
    }
    // Ended meanwhile: what the next try says is the answer, as it would have been without a pause.
    await clock.sleep(firstPauseMs * 2 ** (attempt - 1), signal).catch(() => undefined);
  }
}

function isBroken(error: unknown): boolean {
  if (!isPlumbError(error, 'ClusterUnreachable')) return false;
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
  return code !== undefined && brokenCodes.has(code);
}

/**
 * The server or what stands before it could not answer. A webhook that failed has been waited for already, and an object that does
 * not fit its schema never will.
 */
export function isTemporaryRefusal(answer: Answer<unknown>): boolean {
  if (answer.type === 'ok') return false;
  const { httpStatus, message } = answer.refusal;
  return [500, 502, 503, 504].includes(httpStatus) && !message.includes('webhook') && !isTypeError(message);
}
