import type { Range } from './position.ts';

export type Severity = 'error' | 'warning' | 'information' | 'hint';

/**
 * A problem in the user's files, as a value: collected, never thrown.
 * `code` is stable and kebab-case; each has a page under docs/diagnostics. `path` is relative to the tree's root.
 */
export interface Diagnostic {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly path: string;
  readonly range: Range;
  readonly hint?: string;
}

/** A value that could be made, and what is wrong with the files it was made from. */
export interface Diagnosed<T> {
  readonly value: T;
  readonly diagnostics: readonly Diagnostic[];
}

/** `path:line:column: severity: message`, lines and columns counted from one as editors and terminals do. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { line, character } = diagnostic.range.start;
  const text = `${diagnostic.path}:${line + 1}:${character + 1}: ${diagnostic.severity}: ${diagnostic.message}`;
  return diagnostic.hint === undefined ? text : `${text} (${diagnostic.hint})`;
}
