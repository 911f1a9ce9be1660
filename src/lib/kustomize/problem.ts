import type { Diagnostic, Severity } from '../../base/diagnostic.ts';
import type { Place } from './node.ts';
import { rangeNow, type Places } from './nodeOrigins.ts';

/** What can be wrong with the files of a build; each code has a page under docs/diagnostics. */
export const buildCodes = [
  'kustomization-missing',
  'kustomization-ambiguous',
  'kustomization-empty',
  'kustomization-invalid',
  'kustomization-deprecated',
  'kustomization-field-dropped',
  'build-file-missing',
  'build-outside-root',
  'build-cycle',
  'build-remote-refused',
  'build-invalid-file',
  'build-invalid-object',
  'build-duplicate-object',
  'build-invalid-patch',
  'build-patch-target',
  'build-invalid-field',
  'build-generator',
  'build-replacement',
  'build-ambiguous-reference',
  'build-plugin-refused',
  'build-not-supported',
  'build-text-ignored',
] as const;
export type BuildCode = (typeof buildCodes)[number];

/** A problem of a build, as it travels to the place that turns it into a diagnostic. */
export interface BuildProblem {
  readonly code: BuildCode;
  readonly message: string;
  readonly place: Place;
  /** For a problem of a whole file. */
  readonly path?: string;
  readonly hint?: string;
  readonly severity?: Severity;
}

/** Ends one step of a build; what the step was about is left out and the build goes on to find more problems. */
export class BuildFailure extends Error {
  readonly problem: BuildProblem;

  constructor(problem: BuildProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

export function fail(code: BuildCode, message: string, place: Place, hint?: string): never {
  throw new BuildFailure({ code, message, place, ...(hint !== undefined && { hint }) });
}

/** The diagnostic of a problem; one without a place stands at the start of its file. */
export function diagnosticOf(problem: BuildProblem, fallbackPath: string, places: Places): Diagnostic {
  const { code, message, place, hint } = problem;
  const { source } = place;
  const start = { line: 0, character: 0 };
  return {
    code,
    severity: problem.severity ?? 'error',
    message,
    path: source?.path ?? problem.path ?? fallbackPath,
    range: source === undefined ? { start, end: start } : rangeNow(source, place.start, place.end, places),
    ...(hint !== undefined && { hint }),
  };
}
