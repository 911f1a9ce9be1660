import type { YamlNode } from '../../kube/yamlNode.ts';
import { scalarValue } from '../model/yamlAccess.ts';
import { closestName } from './closestName.ts';
import { describeType, type Schema } from './schema.ts';

/** What is wrong with a value, without its place. */
export interface ValueProblem {
  readonly code: 'wrong-type' | 'invalid-value';
  /** Goes on after the field's path: `must be …`. */
  readonly message: string;
  readonly hint?: string;
}

/** What a scalar fails of its schema. `isTrusted`: the schema's patterns are ours and cannot be made to run for ever. */
export function scalarProblem(
  node: YamlNode,
  schema: Schema,
  isTrusted: boolean,
): ValueProblem | undefined {
  const value = scalarValue(node);
  const kind = typeof value;
  // Infinity and NaN are reported as yaml-not-json.
  if (kind === 'number' && !Number.isFinite(value)) return undefined;
  const isNumber = kind === 'number' || kind === 'bigint';
  const isInteger = kind === 'bigint' || Number.isInteger(value);
  if (schema['x-kubernetes-int-or-string'] === true) {
    if (schema.format === 'quantity') return isNumber ? undefined : quantityProblem(value);
    return kind === 'string' || isInteger ? undefined : wrongType(node, schema);
  }
  switch (schema.type) {
    case 'string':
      return typeof value === 'string' ? textProblem(value, schema, isTrusted) : wrongType(node, schema);
    case 'boolean':
      return kind === 'boolean' ? undefined : wrongType(node, schema);
    case 'integer':
      return isInteger ? rangeProblem(Number(value), schema) : wrongType(node, schema);
    case 'number':
      return isNumber ? rangeProblem(Number(value), schema) : wrongType(node, schema);
    case undefined:
      return undefined;
    default:
      return wrongType(node, schema);
  }
}

function wrongType(node: YamlNode, schema: Schema): ValueProblem {
  const value = scalarValue(node);
  const message = `must be ${withArticle(describeType(schema))}, not ${withArticle(nameOfType(value))}`;
  return { code: 'wrong-type', message, ...hintFor(node, schema, value) };
}

function hintFor(node: YamlNode, schema: Schema, value: unknown): { hint?: string } {
  if (schema.type === 'string') return { hint: `quote it: ${JSON.stringify(node.text)}` };
  if (typeof value !== 'string') return {};
  const isQuotedNumber = (schema.type === 'integer' || schema.type === 'number') && /^-?\d+$/.test(value);
  const isQuotedBoolean = schema.type === 'boolean' && /^(true|false)$/.test(value);
  return isQuotedNumber || isQuotedBoolean ? { hint: `remove the quotes: ${value}` } : {};
}

function nameOfType(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint' || Number.isInteger(value)) return 'integer';
  return typeof value;
}

/** `integer` → `an integer`. */
export function withArticle(words: string): string {
  if (words === 'null' || words.startsWith('any ')) return words;
  return /^[aeiou]/.test(words) ? `an ${words}` : `a ${words}`;
}

function textProblem(value: string, schema: Schema, isTrusted: boolean): ValueProblem | undefined {
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    const values = schema.enum.map(String);
    const near = closestName(value, values);
    return {
      code: 'invalid-value',
      message: `must be ${values.length === 1 ? '' : 'one of '}${values.join(', ')}, not ${JSON.stringify(value)}`,
      ...(near !== undefined && { hint: `did you mean ${near}?` }),
    };
  }
  if (schema.pattern !== undefined && matches(value, schema.pattern, isTrusted) === false) {
    return patternProblem(schema.pattern);
  }
  if (schema.maxLength !== undefined && value.length > schema.maxLength) {
    return invalid(`must have at most ${schema.maxLength} characters`);
  }
  if (schema.minLength !== undefined && value.length < schema.minLength) {
    return invalid(
      schema.minLength === 1 ? 'must not be empty' : `must have at least ${schema.minLength} characters`,
    );
  }
  return formatProblem(value, schema.format);
}

function patternProblem(pattern: string): ValueProblem {
  if (pattern.startsWith('^([0-9]+(\\.[0-9]+)?(ms|s|m')) {
    const units = pattern.includes('|h)') ? 'ms, s, m and h' : 'ms, s and m';
    return { ...invalid('is not a duration'), hint: `write it as 30s or 5m30s: units are ${units}` };
  }
  return invalid(`must match ${pattern}`);
}

function formatProblem(value: string, format: string | undefined): ValueProblem | undefined {
  switch (format) {
    case 'byte':
      return isBase64(value.replaceAll(/[\r\n]/g, ''))
        ? undefined
        : { ...invalid('is not base64'), hint: 'plain text goes into stringData' };
    case 'date-time':
      return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(value)
        ? undefined
        : { ...invalid('is not a time'), hint: 'write it as 2006-01-02T15:04:05Z' };
    default:
      return undefined;
  }
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

function quantityProblem(value: unknown): ValueProblem | undefined {
  const isQuantity =
    typeof value === 'string' &&
    /^[+-]?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/.test(value);
  return isQuantity
    ? undefined
    : { ...invalid('is not a quantity'), hint: 'write it as 500m, 128Mi or 2' };
}

function rangeProblem(value: number, schema: Schema): ValueProblem | undefined {
  if (schema.minimum !== undefined && value < schema.minimum)
    return invalid(`must be at least ${schema.minimum}`);
  if (schema.maximum !== undefined && value > schema.maximum)
    return invalid(`must be at most ${schema.maximum}`);
  return undefined;
}

function invalid(message: string): ValueProblem {
  return { code: 'invalid-value', message };
}

const compiled = new Map<string, RegExp | undefined>();

/** Undefined when the pattern is not tried: JavaScript cannot read it, or it comes from the workspace and might never end. */
function matches(value: string, pattern: string, isTrusted: boolean): boolean | undefined {
  if (!isTrusted && (value.length > 256 || /\)[*+{]|\\\d/.test(pattern))) return undefined;
  if (!compiled.has(pattern)) compiled.set(pattern, compile(pattern));
  return compiled.get(pattern)?.test(value);
}

function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    // A Go pattern that JavaScript has no words for is left to the server.
    return undefined;
  }
}
