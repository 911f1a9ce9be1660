import type { JsonValue } from '../../base/json.ts';
import type { DriftMark } from '../../protocol/views.ts';

/** The text that takes the place of a mark's range, or why that cannot be done safely. */
export type TakeLive =
  { readonly type: 'edit'; readonly newText: string } | { readonly type: 'refused'; readonly why: string };

type Scalar = string | number | bigint | boolean | null;

/**
 * Writes the cluster's value where the desired one stands. `text` is what the document has at the mark's range.
 * Only scalars that stand there as they are desired, or as the end of it (a tag of an image): nothing is guessed.
 */
export function takeLive({ field }: DriftMark, text: string): TakeLive {
  const { live, desired } = field;
  if (live === undefined) return refused('the cluster has no such field; remove it by hand');
  if (desired === undefined) return refused('Git does not set this field; add it by hand');
  if (!isScalar(live) || !isScalar(desired)) return refused('it is not a single value; edit it by hand');
  const written = scalarText(text);
  if (written === undefined) return refused('the file does not have a single value there');
  if (written.value === plain(desired)) return { type: 'edit', newText: quoted(live, written.quote) };
  const prefix = plain(desired).slice(0, -written.value.length);
  if (written.value !== '' && plain(desired).endsWith(written.value) && plain(live).startsWith(prefix))
    return { type: 'edit', newText: quoted(plain(live).slice(prefix.length), written.quote) };
  return refused('the file builds the value from something else; edit it by hand');
}

function refused(why: string): TakeLive {
  return { type: 'refused', why };
}

function isScalar(value: JsonValue): value is Scalar {
  return typeof value !== 'object' || value === null;
}

function plain(value: Scalar): string {
  return String(value);
}

function scalarText(text: string): { readonly value: string; readonly quote: '"' | "'" | '' } | undefined {
  const trimmed = text.trim();
  if (trimmed.includes('\n') || text !== trimmed) return undefined;
  const single = /^'((?:[^']|'')*)'$/.exec(trimmed);
  if (single?.[1] !== undefined) return { value: single[1].replaceAll("''", "'"), quote: "'" };
  if (trimmed.startsWith('"')) {
    const value = parsedJson(trimmed);
    return typeof value === 'string' ? { value, quote: '"' } : undefined;
  }
  return /^[^\s[\]{},&*#|>%@`!'"][^#]*$/.test(trimmed) ? { value: trimmed, quote: '' } : undefined;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // YAML's other escapes: left to the user.
    return undefined;
  }
}

function quoted(value: Scalar, quote: '"' | "'" | ''): string {
  if (typeof value !== 'string') return plain(value);
  if (quote === "'" && !value.includes('\n')) return `'${value.replaceAll("'", "''")}'`;
  if (quote === '' && isPlainSafe(value)) return value;
  return JSON.stringify(value);
}

/** Text that YAML reads as that very string, in its 1.1 dialect too. */
function isPlainSafe(value: string): boolean {
  if (!/^[A-Za-z0-9_./][A-Za-z0-9_./@+:-]*$/.test(value) || value.endsWith(':')) return false;
  if (/^(true|false|yes|no|on|off|y|n|null|~)$/i.test(value)) return false;
  return !/^[0-9.]/.test(value) || /^\d+\.\d+\.\d+/.test(value);
}
