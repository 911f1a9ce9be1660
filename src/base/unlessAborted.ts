import { onAbort } from './onAbort.ts';
import { isPlumbError, plumbError } from './plumbError.ts';

/**
 * The promise's outcome, or as soon as the signal aborts its reason where that is a PlumbError, else Cancelled: for work that
 * cannot be told to stop.
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      const cause: unknown = signal.reason;
      reject(isPlumbError(cause) ? cause : plumbError('Cancelled', { message: 'cancelled', cause }));
    };
    onAbort(signal, stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
