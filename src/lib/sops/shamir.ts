import { randomBytes } from 'node:crypto';
import { decryptionError } from './sopsTree.ts';

/**
 * Splits a secret into parts of which `threshold` give it back (Shamir, byte by byte over GF(2^8) with the AES
 * polynomial). A part is one byte longer than the secret: its last byte is its x.
 */
export function splitSecret(secret: Uint8Array, parts: number, threshold: number): Uint8Array[] {
  if (threshold < 2 || threshold > parts || parts > 255)
    throw decryptionError(`a shamir threshold of ${threshold} does not fit ${parts} key groups`);
  const shares = Array.from({ length: parts }, (_, index) => {
    const share = new Uint8Array(secret.length + 1);
    share[secret.length] = index + 1;
    return share;
  });
  for (const [index, byte] of secret.entries()) {
    const coefficients = randomBytes(threshold - 1);
    for (const [part, share] of shares.entries())
      share[index] = byte ^ multiply(evaluate(coefficients, part + 1), part + 1);
  }
  return shares;
}

/** The secret from enough of its parts; too few give a wrong one. Throws DecryptionFailed for parts that do not fit. */
export function combineShares(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts[0]?.length ?? 0;
  const places = parts.map((part) => part[length - 1] ?? 0);
  if (parts.length < 2 || length < 2 || parts.some((part) => part.length !== length))
    throw decryptionError('could not get data key from shamir parts: they do not fit together');
  if (new Set(places).size !== places.length)
    throw decryptionError('could not get data key from shamir parts: duplicate part detected');
  const secret = new Uint8Array(length - 1);
  for (let index = 0; index < secret.length; index++) {
    let value = 0;
    for (const [own, part] of parts.entries()) {
      let basis = 1;
      for (const [other, place] of places.entries())
        if (other !== own) basis = multiply(basis, divide(place, (places[own] ?? 0) ^ place));
      value ^= multiply(part[index] ?? 0, basis);
    }
    secret[index] = value;
  }
  return secret;
}

function evaluate(coefficients: Uint8Array, x: number): number {
  return coefficients.reduce((value, coefficient) => multiply(value, x) ^ coefficient, 0);
}

function multiply(left: number, right: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = ((product << 1) & 0xff) ^ (product & 0x80 ? 0x1b : 0);
    if ((right >> bit) & 1) product ^= left;
  }
  return product;
}

function divide(left: number, right: number): number {
  // The multiplicative group has 255 elements, so the 254th power is the inverse.
  let inverse = 1;
  for (let step = 0; step < 254; step++) inverse = multiply(inverse, right);
  return multiply(left, inverse);
}
