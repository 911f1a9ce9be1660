import { isSopsComment, isSopsTime, type SopsLeaf } from './sopsTree.ts';

/** What a leaf is called in `type:`. */
export type LeafType = 'str' | 'int' | 'float' | 'bool' | 'time' | 'comment';

export function typeOfLeaf(leaf: SopsLeaf): LeafType {
  if (typeof leaf === 'string') return 'str';
  if (typeof leaf === 'bigint') return 'int';
  if (typeof leaf === 'number') return 'float';
  if (typeof leaf === 'boolean') return 'bool';
  return leaf.kind;
}

/** The text of a leaf, as it is encrypted and as the MAC covers it: booleans with a capital, floats without exponent. */
export function textOfLeaf(leaf: SopsLeaf): string {
  if (typeof leaf === 'boolean') return leaf ? 'True' : 'False';
  if (typeof leaf === 'number') return plainFloat(leaf);
  if (isSopsComment(leaf)) return leaf.value;
  if (isSopsTime(leaf)) return leaf.text;
  return String(leaf);
}

/** The shortest digits that give the float again, without an exponent: Go's FormatFloat(value, 'f', -1, 64). */
export function plainFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const [mantissa = '', exponentText = '0'] = Math.abs(value).toExponential().split('e');
  const digits = mantissa.replace('.', '');
  const point = Number(exponentText) + 1;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits.padEnd(point, '0');
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
