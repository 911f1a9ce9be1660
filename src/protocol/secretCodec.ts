import { Secret } from '../base/secret.ts';

/** The only way a secret gets onto the pipe: from the host to the engine, as the answer to credentials/get. */
export function revealForEngine(secret: Secret<string> | undefined): string | null {
  return secret?.reveal() ?? null;
}

/** What the host sent, closed up again at once. */
export function secretFromHost(value: unknown): Secret<string> | undefined {
  return typeof value === 'string' ? new Secret(value) : undefined;
}
