const letter = /^\p{L}$/u;
const digit = /^\p{Nd}$/u;

/**
 * The order in which go-yaml v2 prints keys: letters by code point, numbers inside by value, so `a2` comes before `a10`.
 */
export function compareYamlKeys(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const leftCode = left.charCodeAt(index);
    const rightCode = right.charCodeAt(index);
    if (leftCode === rightCode) continue;
    if (isAsciiLetter(leftCode) && isAsciiLetter(rightCode)) return leftCode - rightCode;
    if (leftCode > 126 || rightCode > 126) return compareRunes([...left], [...right]);
    return compareAt(left, right, index);
  }
  return left.length - right.length;
}

function compareAt(left: ArrayLike<string>, right: ArrayLike<string>, index: number): number {
  const leftRune = left[index] ?? '';
  const rightRune = right[index] ?? '';
  const isLeftLetter = letter.test(leftRune);
  const isRightLetter = letter.test(rightRune);
  if (isLeftLetter && isRightLetter) return compareCodePoints(leftRune, rightRune);
  if (isLeftLetter || isRightLetter) return isRightLetter ? -1 : 1;
  const base = leftRune === '0' || rightRune === '0' ? carryBefore(left, index) : 0n;
  const [leftNumber, leftEnd] = numberFrom(left, index, base);
  const [rightNumber, rightEnd] = numberFrom(right, index, base);
  if (leftNumber !== rightNumber) return leftNumber < rightNumber ? -1 : 1;
  if (leftEnd !== rightEnd) return leftEnd - rightEnd;
  return compareCodePoints(leftRune, rightRune);
}

/** A zero continues a number whose earlier digits are not all zero. */
function carryBefore(runes: ArrayLike<string>, index: number): bigint {
  for (let before = index - 1; before >= 0 && digit.test(runes[before] ?? ''); before--)
    if (runes[before] !== '0') return 1n;
  return 0n;
}

function numberFrom(runes: ArrayLike<string>, index: number, base: bigint): [bigint, number] {
  let value = base;
  let end = index;
  for (; end < runes.length && digit.test(runes[end] ?? ''); end++)
    value = BigInt.asIntN(64, value * 10n + BigInt((runes[end] ?? '0').codePointAt(0) ?? 48) - 48n);
  return [value, end];
}

function compareRunes(left: readonly string[], right: readonly string[]): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++)
    if (left[index] !== right[index]) return compareAt(left, right, index);
  return left.length - right.length;
}

function compareCodePoints(left: string, right: string): number {
  return (left.codePointAt(0) ?? 0) - (right.codePointAt(0) ?? 0);
}

function isAsciiLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
}
