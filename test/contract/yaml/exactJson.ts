import type { JsonValue } from '../../../src/base/json.ts';

/** JSON text as a value, with whole numbers beyond 2^53 as bigint. */
export function parseExactJson(text: string): JsonValue {
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) => {
    const isLongInteger = typeof value === 'number' && /^-?[0-9]{16,}$/.test(context?.source ?? '');
    return isLongInteger ? exact(context?.source as string) : value;
  }) as JsonValue;
}

function exact(digits: string): number | bigint {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : BigInt(digits);
}
