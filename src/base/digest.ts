import { createHash } from 'node:crypto';

/** `sha256:<hex>` of the bytes or UTF-8 text, the form Flux uses for artifacts and history. */
export function sha256Digest(content: string | Uint8Array): string {
  return `sha256:${sha256Hex(content)}`;
}

/** The bare lower-case hex of sha256. */
export function sha256Hex(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
