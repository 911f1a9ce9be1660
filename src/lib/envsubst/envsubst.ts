import { applyOperator, costOf, longestResult, providesDefault } from './operators.ts';
import { parseTemplate, type Expression, type TemplateNode } from './template.ts';

/** The value of a variable, undefined when it is not set. */
export type VariableLookup = (name: string) => string | undefined;

export interface SubstitutionError {
  /** Upstream's own words. */
  readonly message: string;
  /** Where the outermost `${` around it stands in the text, in UTF-16 units. */
  readonly offset: number;
  /** The variable that is not set, when that is the error. */
  readonly variable?: string;
}

/**
 * The text with every `${…}` replaced, or all its errors, upstream's first one first.
 * A variable that is not set is an error unless an operator gives a default: strict mode. Let `lookup` give '' for lenience.
 * The text is ill-formed (`isWellFormed()`) when an operator cut a character in half. Follows fluxcd/pkg envsubst (contract 1.5).
 */
export function substituteText(
  text: string,
  lookup: VariableLookup,
): { readonly text: string } | { readonly errors: readonly SubstitutionError[] } {
  const template = parseTemplate(text);
  if ('message' in template) return { errors: [template] };
  const run: Run = { lookup, errors: [], room: maxLength, steps: maxSteps };
  const result = template.map((node) => evaluate(node, run)).join('');
  return run.errors.length === 0 ? { text: result } : { errors: run.errors };
}

/** Upstream has no limit; no cluster takes an object as long as this, and expressions in each other multiply. */
const maxLength = 64_000_000;

/** Upstream has no limit; patterns may take about a second. */
const maxSteps = 1_000_000_000;

interface Run {
  readonly lookup: VariableLookup;
  readonly errors: SubstitutionError[];
  /** How many characters expressions may still make. */
  room: number;
  /** How many steps operators may still take. */
  steps: number;
}

function evaluate(node: TemplateNode, run: Run): string {
  return typeof node === 'string' ? node : evaluateExpression(node, run);
}

function evaluateExpression({ name, operator, args, offset }: Expression, run: Run): string {
  const { lookup, errors } = run;
  const values = args.map((arg) => evaluate(arg, run));
  const value = lookup(name);
  if (value === undefined && !providesDefault(operator)) {
    const quoted = JSON.stringify(name);
    errors.push({ message: `variable not set (strict mode): ${quoted}`, offset, variable: name });
  }
  if (run.room < 0 || run.steps < 0) return '';
  run.room -= longestResult(operator, value ?? '', values);
  run.steps -= costOf(operator, value ?? '', values);
  if (run.room >= 0 && run.steps >= 0) return applyOperator(operator, value ?? '', values);
  const message =
    run.room < 0
      ? `variables make the text longer than ${maxLength / 1e6} million characters`
      : `the pattern of ${name} takes too long on a value of ${value?.length ?? 0} characters`;
  errors.push({ message, offset });
  return '';
}
