import { createHash, createHmac, randomBytes } from 'node:crypto';

/** `sha256:<hex>` of the bytes or UTF-8 text, the form Flux uses for artifacts and history. */
export function sha256Digest(content: string | Uint8Array): string {
  return `sha256:${sha256Hex(content)}`;
}

/** The bare lower-case hex of sha256. */
export function sha256Hex(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Known to this process only: the marks of two processes cannot be compared, and no dictionary fits them. */
const salt = randomBytes(32);

/** Eight hex digits that are equal for equal bytes within this process and tell nothing about them. */
export function saltedMark(content: Uint8Array): string {
  return createHmac('sha256', salt).update(content).digest('hex').slice(0, 8);
}
