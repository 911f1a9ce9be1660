import { structuredPatch } from 'diff';
import type { JsonValue } from '../base/json.ts';

/** Texts that differ more than this are shown as values: finding the shortest difference would take long, and help nobody. */
const maxEdits = 500;
const maxLines = 40;

/**
 * The lines in which two texts differ: `-` before, `+` after, a line around each, `…` for what is left out. Undefined for other
 * values, for texts of one line, and for texts that have next to nothing in common.
 */
export function textDiff(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
): readonly string[] | undefined {
  if (typeof before !== 'string' || typeof after !== 'string') return undefined;
  if (!before.trimEnd().includes('\n') && !after.trimEnd().includes('\n')) return undefined;
  const patch = structuredPatch('', '', before, after, '', '', { context: 1, maxEditLength: maxEdits });
  if (patch === undefined) return undefined;
  const lines = patch.hunks.flatMap((hunk, index) => {
    const gap = index > 0 || hunk.oldStart > 1 ? ['…'] : [];
    return [...gap, ...hunk.lines];
  });
  const more = lines.length - maxLines;
  return more > 1 ? [...lines.slice(0, maxLines), `… ${more} more lines`] : lines;
}
