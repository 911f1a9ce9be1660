import { applyOperator, providesDefault } from './operators.ts';
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
  const errors: SubstitutionError[] = [];
  const result = template.map((node) => evaluate(node, lookup, errors)).join('');
  return errors.length === 0 ? { text: result } : { errors };
}

function evaluate(node: TemplateNode, lookup: VariableLookup, errors: SubstitutionError[]): string {
  return typeof node === 'string' ? node : evaluateExpression(node, lookup, errors);
}

function evaluateExpression(
  { name, operator, args, offset }: Expression,
  lookup: VariableLookup,
  errors: SubstitutionError[],
): string {
  const values = args.map((arg) => evaluate(arg, lookup, errors));
  const value = lookup(name);
  if (value === undefined && !providesDefault(operator)) {
    const quoted = JSON.stringify(name);
    errors.push({ message: `variable not set (strict mode): ${quoted}`, offset, variable: name });
  }
  return applyOperator(operator, value ?? '', values);
}
