// Operators count bytes, so they can cut a character in half. Such a byte lives in a string as the lone surrogate
// U+DC00 + byte, which no decoded text contains; `isWellFormed()` tells whether a text has any.

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The UTF-8 bytes of a text, halves of characters included. */
export function bytesOf(text: string): Uint8Array {
  if (text.isWellFormed()) return Buffer.from(text);
  return Buffer.concat([...text].map(bytesOfRune));
}

/** The text of bytes; what is not UTF-8 becomes one lone surrogate a byte. */
export function textOf(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeLossless(bytes);
  }
}

function bytesOfRune(rune: string): Uint8Array {
  const code = rune.codePointAt(0) as number;
  return code >= 0xdc80 && code <= 0xdcff ? Uint8Array.of(code & 0xff) : Buffer.from(rune);
}

function decodeLossless(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] as number;
    const width = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    try {
      text += strict.decode(bytes.subarray(at, at + width));
      at += width;
    } catch {
      text += String.fromCharCode(0xdc00 + first);
      at++;
    }
  }
  return text;
}
