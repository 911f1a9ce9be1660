import type { Place } from './node.ts';
import { fail } from './problem.ts';

type Texts = ReadonlyMap<string, string>;
type Requirement = (texts: Texts) => boolean;

const compiled = new Map<string, readonly Requirement[]>();

/** Tells whether labels satisfy a selector in kubectl's syntax: `a=b,c!=d,e in (f,g),!h,i>1`. '' matches everything. */
export function matchesSelector(selector: string, texts: Texts, place: Place): boolean {
  if (selector === '') return true;
  let requirements = compiled.get(selector);
  if (requirements === undefined) {
    requirements = parseSelector(selector, place);
    compiled.set(selector, requirements);
  }
  return requirements.every((requirement) => requirement(texts));
}

function parseSelector(selector: string, place: Place): readonly Requirement[] {
  const tokens = tokenize(selector);
  const requirements: Requirement[] = [];
  let position = 0;
  const next = () => tokens[position++] ?? '';
  const invalid = (): never =>
    fail(
      'kustomization-invalid',
      `invalid selector ${JSON.stringify(selector)}`,
      place,
      'write app=web,tier!=db or env in (a,b)',
    );
  if (tokens.length === 0) return requirements;
  for (;;) {
    requirements.push(parseRequirement(next, () => tokens[position] ?? '', invalid));
    const separator = next();
    if (separator === '') return requirements;
    if (separator !== ',' || position >= tokens.length) invalid();
  }
}

function parseRequirement(next: () => string, peek: () => string, invalid: () => never): Requirement {
  let key = next();
  const isNegated = key === '!';
  if (isNegated) key = next();
  if (!isLabelKey(key)) invalid();
  if (isNegated) return (texts) => !texts.has(key);
  if (peek() === '' || peek() === ',') return (texts) => texts.has(key);
  const operator = next();
  switch (operator) {
    case 'in':
    case 'notin': {
      const values = parseValues(next, invalid);
      return operator === 'in'
        ? (texts) => texts.has(key) && values.includes(texts.get(key) ?? '')
        : (texts) => !texts.has(key) || !values.includes(texts.get(key) ?? '');
    }
    case '=':
    case '==':
    case '!=': {
      const value = peek() === '' || peek() === ',' ? '' : next();
      if (!isLabelValue(value)) invalid();
      return operator === '!='
        ? (texts) => !texts.has(key) || texts.get(key) !== value
        : (texts) => texts.get(key) === value;
    }
    case '<':
    case '>': {
      const limit = next();
      if (!/^[-+]?\d+$/.test(limit)) invalid();
      return (texts) => compareNumbers(texts.get(key), operator, limit);
    }
    default:
      return invalid();
  }
}

function compareNumbers(text: string | undefined, operator: '<' | '>', limit: string): boolean {
  if (text === undefined || !/^[-+]?\d+$/.test(text)) return false;
  const [value, bound] = [BigInt(text), BigInt(limit)];
  return operator === '<' ? value < bound : value > bound;
}

function parseValues(next: () => string, invalid: () => never): readonly string[] {
  if (next() !== '(') invalid();
  const values: string[] = [];
  for (let token = next(); ; token = next()) {
    if (token === ',' || token === ')') {
      values.push('');
      if (token === ')') return values;
      continue;
    }
    if (!isLabelValue(token) || token === '') invalid();
    values.push(token);
    const separator = next();
    if (separator === ')') return values;
    if (separator !== ',') invalid();
  }
}

function tokenize(selector: string): readonly string[] {
  return selector.match(/==|!=|[!=<>(),]|[^\s!=<>(),]+/g) ?? [];
}

function isLabelKey(key: string): boolean {
  const parts = key.split('/');
  const name = parts.pop() ?? '';
  if (parts.length > 1) return false;
  const prefix = parts[0];
  if (
    prefix !== undefined &&
    !/^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/.test(prefix)
  )
    return false;
  return name.length <= 63 && /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(name);
}

function isLabelValue(value: string): boolean {
  return value === '' || (value.length <= 63 && /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(value));
}
