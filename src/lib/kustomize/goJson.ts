import { isJsonObject, type JsonArray, type JsonObject, type JsonValue } from '../../base/json.ts';
import { compareBytes } from './resource.ts';

const escapes = /["\\<>&\u0000-\u001f\u2028\u2029]/g;

/** JSON text as Go's encoding/json writes it: keys sorted, `<`, `>` and `&` escaped; with `indent` over several lines. */
export function goJson(value: JsonValue, indent: string = '', prefix: string = ''): string {
  if (typeof value === 'string') return `"${value.replaceAll(escapes, escape)}"`;
  if (Array.isArray(value))
    return wrap(
      '[]',
      (value as JsonArray).map((item) => goJson(item, indent, prefix + indent)),
      indent,
      prefix,
    );
  if (isJsonObject(value)) return wrap('{}', members(value, indent, prefix), indent, prefix);
  return typeof value === 'number' && Object.is(value, -0) ? '-0' : String(value);
}

function members(object: JsonObject, indent: string, prefix: string): string[] {
  const colon = indent === '' ? ':' : ': ';
  return Object.keys(object)
    .filter((key) => object[key] !== undefined)
    .sort(compareBytes)
    .map((key) => goJson(key) + colon + goJson(object[key] as JsonValue, indent, prefix + indent));
}

function wrap(brackets: string, parts: readonly string[], indent: string, prefix: string): string {
  const [open, close] = brackets;
  if (parts.length === 0 || indent === '') return `${open}${parts.join(',')}${close}`;
  const line = `\n${prefix}${indent}`;
  return `${open}${line}${parts.join(`,${line}`)}\n${prefix}${close}`;
}

function escape(character: string): string {
  switch (character) {
    case '"':
      return '\\"';
    case '\\':
      return '\\\\';
    case '\n':
      return '\\n';
    case '\r':
      return '\\r';
    case '\t':
      return '\\t';
    case '\b':
      return '\\b';
    case '\f':
      return '\\f';
    default:
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  }
}
