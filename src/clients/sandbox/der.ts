/** DER (X.690), as much of it as a certificate needs. Every function gives one whole encoded value. */

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
} as const;

/** A value under any tag: context-specific ones are 0x80 + number, or 0xa0 + number when constructed. */
export function derTagged(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), derLength(body.length), body]);
}

export function derSequence(...items: readonly Uint8Array[]): Buffer {
  return derTagged(tags.sequence, ...items);
}

export function derSet(...items: readonly Uint8Array[]): Buffer {
  return derTagged(tags.set, ...items);
}

/** An unsigned integer from its big-endian bytes. */
export function derInteger(bytes: Uint8Array): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Buffer.from([0]) : Buffer.from(bytes.subarray(start));
  const isNegative = ((digits[0] ?? 0) & 0x80) !== 0;
  return derTagged(tags.integer, ...(isNegative ? [Buffer.from([0])] : []), digits);
}

export function derTrue(): Buffer {
  return derTagged(tags.boolean, Buffer.from([0xff]));
}

export function derUtf8(text: string): Buffer {
  return derTagged(tags.utf8String, Buffer.from(text, 'utf8'));
}

export function derOctets(content: Uint8Array): Buffer {
  return derTagged(tags.octetString, content);
}

/** A bit string; `unusedBits` of its last byte do not count. */
export function derBits(content: Uint8Array, unusedBits = 0): Buffer {
  return derTagged(tags.bitString, Buffer.from([unusedBits]), content);
}

/** A point in time before 2050, to the second: RFC 5280 wants two-digit years until then. */
export function derTime(date: Date): Buffer {
  const digits = date.toISOString().slice(2, 19).replace(/[-T:]/g, '');
  return derTagged(tags.utcTime, Buffer.from(`${digits}Z`, 'latin1'));
}

/** `1.2.840.10045.4.3.2` as an object identifier. */
export function derOid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap(base128);
  return derTagged(tags.objectIdentifier, Buffer.from(bytes));
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}

function derLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}
