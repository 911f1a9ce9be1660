import { formatGoFloat } from '../../kube/goFloat.ts';
import { isSopsTime, type SopsValue } from './sopsTree.ts';

/** A simple value as the flat formats (dotenv, ini) write it; undefined for a list or mapping. */
export function plainText(value: SopsValue): string | undefined {
  if (value === null) return '<nil>';
  if (typeof value === 'number') return shortFloat(value);
  if (typeof value !== 'object') return String(value);
  return isSopsTime(value) ? value.text.replace(/\.\d+/, '') : undefined;
}

/** Go's FormatFloat(value, 'G', -1, 64), with a digit behind the point so that it stays a float. */
function shortFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const text = formatGoFloat(value).toUpperCase();
  return /[.E]/.test(text) ? text : `${text}.0`;
}
