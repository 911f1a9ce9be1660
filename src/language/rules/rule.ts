import type { Diagnostic, Severity } from '../../base/diagnostic.ts';
import type { Range } from '../../base/position.ts';
import type { ParsedFile } from '../model/parseFile.ts';
import type { WorkspaceIndex } from '../model/workspaceIndex.ts';

/** One check of the source text. A rule looks at one file and may ask the workspace about others; it never throws. */
export interface Rule {
  /** Every code it may report; each has a page docs/diagnostics/<code>.md. */
  readonly codes: readonly string[];
  check(workspace: WorkspaceIndex, file: ParsedFile): Diagnostic[];
}

/** A diagnostic of a rule. */
export function problem(
  code: string,
  severity: Severity,
  place: { readonly path: string; readonly range: Range },
  message: string,
  hint?: string,
): Diagnostic {
  return { code, severity, message, ...place, ...(hint !== undefined && { hint }) };
}
