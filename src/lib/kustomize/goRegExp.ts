import { RE2JS } from 're2js';
import type { Place } from './node.ts';
import { fail } from './problem.ts';

/** A Go regular expression: no backtracking, so no pattern can hang a build. */
export interface GoRegExp {
  test(text: string): boolean;
}

const compiled = new Map<string, GoRegExp>();
/** Patterns that JavaScript reads exactly as Go does, and in linear time: text, dots, `.*` and alternatives of such. */
const plain =
  /^[\^]?(?:\(\?:)?(?:[A-Za-z0-9_/:@=,~ -]|\.\*?(?!\*)|\|)*\)?(?:\(:\[a-zA-Z0-9_\.\{\}-\]\*\)\?\(@sha256:\[a-zA-Z0-9_\.\{\}-\]\*\)\?)?[$]?$/;

/** Compiles a pattern; the pattern's place is told when it is malformed. */
export function goRegExp(pattern: string, place: Place): GoRegExp {
  let expression = compiled.get(pattern);
  if (expression === undefined) {
    expression = compile(pattern, place);
    if (compiled.size > 5000) compiled.clear();
    compiled.set(pattern, expression);
  }
  return expression;
}

function compile(pattern: string, place: Place): GoRegExp {
  if (plain.test(pattern) && (pattern.match(/\.\*/g)?.length ?? 0) < 3) return new RegExp(pattern);
  try {
    const expression = RE2JS.compile(pattern);
    return { test: (text) => expression.matcher(text).find() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fail(
      'kustomization-invalid',
      `invalid regular expression ${JSON.stringify(pattern)}: ${reason}`,
      place,
    );
  }
}
