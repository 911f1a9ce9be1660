/** Tells whether the UTF-8 bytes of a whole name match. */
export type Glob = (name: Uint8Array) => boolean;

type Token =
  number | 'any' | { readonly negated: boolean; readonly ranges: readonly (readonly [number, number])[] };

/** What stands between two stars; `afterStar` when a star precedes it. */
interface Chunk {
  readonly afterStar: boolean;
  readonly tokens: readonly Token[];
}

/**
 * Compiles a pattern of Go's path.Match (`*`, `?`, `[a-z]`, `[^a]`, `\` escapes), or gives undefined when it is malformed.
 * `/` has no meaning here: callers split paths first. Literals and stars work on bytes, `?` and classes on runes, as in Go.
 */
export function compileGlob(pattern: string): Glob | undefined {
  const chunks = parseChunks(pattern);
  return chunks === undefined ? undefined : (name) => matchChunks(chunks, name);
}

/** Finds starts of a name that match. */
export interface StartGlob {
  /** Whether every start of the name is tried by itself, so that the work grows with the square of its length. */
  triesEach(name: Uint8Array): boolean;
  /** The length of the shortest or longest start that matches and is not empty. */
  find(name: Uint8Array, which: 'shortest' | 'longest'): number | undefined;
}

/** As compileGlob, for the starts of a name. */
export function compileStartGlob(pattern: string): StartGlob | undefined {
  const chunks = parseChunks(pattern);
  if (chunks === undefined) return undefined;
  const hasRunes = chunks.some(({ tokens }) => tokens.some((token) => typeof token !== 'number'));
  // The end of a start can cut a character in half, which a `?` or a class then takes for another one.
  const triesEach = (name: Uint8Array): boolean => hasRunes && name.some((byte) => byte >= 0x80);
  return {
    triesEach,
    find: (name, which) =>
      triesEach(name) ? tryStarts(chunks, name, which) : findStart(chunks, name, which),
  };
}

function parseChunks(pattern: string): readonly Chunk[] | undefined {
  const chunks: Chunk[] = [];
  for (const { afterStar, text } of splitAtStars(pattern)) {
    const tokens = parseTokens(text);
    if (tokens === undefined) return undefined;
    chunks.push({ afterStar, tokens });
  }
  return chunks;
}

function tryStarts(
  chunks: readonly Chunk[],
  name: Uint8Array,
  which: 'shortest' | 'longest',
): number | undefined {
  for (let tried = 1; tried <= name.length; tried++) {
    const length = which === 'shortest' ? tried : name.length + 1 - tried;
    if (matchChunks(chunks, name.subarray(0, length))) return length;
  }
  return undefined;
}

/** Each token takes one byte here, so what stands before the last star matches where it does first, however long the start. */
function findStart(
  chunks: readonly Chunk[],
  name: Uint8Array,
  which: 'shortest' | 'longest',
): number | undefined {
  const last = chunks.at(-1);
  if (last === undefined) return undefined;
  let at = 0;
  for (const chunk of chunks.slice(0, -1)) {
    const start = findChunk(chunk, name, at, 'shortest');
    if (start === undefined) return undefined;
    at = start + chunk.tokens.length;
  }
  const isOnlyStar = last.tokens.length === 0;
  const start = findChunk(last, name, isOnlyStar ? Math.max(at, 1) : at, which);
  return start === undefined ? undefined : start + last.tokens.length;
}

/** The first or last place from `least` on where a chunk matches. */
function findChunk(
  { afterStar, tokens }: Chunk,
  name: Uint8Array,
  least: number,
  which: 'shortest' | 'longest',
): number | undefined {
  const most = afterStar ? name.length - tokens.length : least;
  for (let tried = least; tried <= most; tried++) {
    const start = which === 'shortest' ? tried : most - (tried - least);
    if (matchTokens(tokens, name, start) !== undefined) return start;
  }
  return undefined;
}

function splitAtStars(pattern: string): { readonly afterStar: boolean; readonly text: string }[] {
  const parts: { afterStar: boolean; text: string }[] = [];
  let at = 0;
  while (at < pattern.length) {
    const start = at;
    while (pattern[at] === '*') at++;
    const afterStar = at > start;
    const textStart = at;
    let inClass = false;
    for (; at < pattern.length; at++) {
      const char = pattern[at];
      if (char === '\\') at = Math.min(at + 1, pattern.length - 1);
      else if (char === '[') inClass = true;
      else if (char === ']') inClass = false;
      else if (char === '*' && !inClass) break;
    }
    parts.push({ afterStar, text: pattern.slice(textStart, at) });
  }
  return parts;
}

function parseTokens(text: string): Token[] | undefined {
  const runes = [...text];
  const tokens: Token[] = [];
  for (let at = 0; at < runes.length; at++) {
    const rune = runes[at] as string;
    if (rune === '[') {
      const parsed = parseClass(runes, at + 1);
      if (parsed === undefined) return undefined;
      tokens.push(parsed.token);
      at = parsed.last;
    } else if (rune === '?') {
      tokens.push('any');
    } else if (rune === '\\') {
      const escaped = runes[++at];
      if (escaped === undefined) return undefined;
      tokens.push(...Buffer.from(escaped));
    } else {
      tokens.push(...Buffer.from(rune));
    }
  }
  return tokens;
}

function parseClass(
  runes: readonly string[],
  start: number,
): { readonly token: Token; readonly last: number } | undefined {
  let at = start;
  const negated = runes[at] === '^';
  if (negated) at++;
  const ranges: [number, number][] = [];
  const readRune = (): number | undefined => {
    if (runes[at] === '-' || runes[at] === ']') return undefined;
    if (runes[at] === '\\') at++;
    const rune = runes[at++];
    // A class must go on after each of its characters: at least the closing bracket is missing otherwise.
    return rune === undefined || at >= runes.length ? undefined : (rune.codePointAt(0) as number);
  };
  while (runes[at] !== ']' || ranges.length === 0) {
    const low = readRune();
    if (low === undefined) return undefined;
    let high: number | undefined = low;
    if (runes[at] === '-') {
      at++;
      high = readRune();
      if (high === undefined) return undefined;
    }
    ranges.push([low, high]);
  }
  return { token: { negated, ranges }, last: at };
}

function matchChunks(chunks: readonly Chunk[], name: Uint8Array): boolean {
  let at = 0;
  for (const [index, { afterStar, tokens }] of chunks.entries()) {
    const isLast = index === chunks.length - 1;
    if (afterStar && tokens.length === 0) return true;
    const lastStart = afterStar ? name.length : at;
    let end: number | undefined;
    for (let start = at; start <= lastStart; start++) {
      end = matchTokens(tokens, name, start);
      if (end !== undefined && (!isLast || end === name.length)) break;
      end = undefined;
    }
    if (end === undefined) return false;
    at = end;
  }
  return at === name.length;
}

/** Where the tokens end when they match from `start` on. */
function matchTokens(tokens: readonly Token[], name: Uint8Array, start: number): number | undefined {
  let at = start;
  for (const token of tokens) {
    if (at >= name.length) return undefined;
    if (typeof token === 'number') {
      if (name[at] !== token) return undefined;
      at++;
      continue;
    }
    const { rune, width } = decodeRune(name, at);
    at += width;
    if (token === 'any') continue;
    const isInClass = token.ranges.some(([low, high]) => low <= rune && rune <= high);
    if (isInClass === token.negated) return undefined;
  }
  return at;
}

const invalid = { rune: 0xfffd, width: 1 } as const;

/** The rune at a position, as Go decodes it: an invalid byte is U+FFFD, one byte wide. */
function decodeRune(bytes: Uint8Array, at: number): { readonly rune: number; readonly width: number } {
  const first = bytes[at] as number;
  if (first < 0x80) return { rune: first, width: 1 };
  const width = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + width > bytes.length) return invalid;
  let rune = first & (0xff >> (width + 1));
  for (let offset = 1; offset < width; offset++) {
    const next = bytes[at + offset] as number;
    if ((next & 0xc0) !== 0x80) return invalid;
    rune = (rune << 6) | (next & 0x3f);
  }
  const isOverlong = (width === 3 && rune < 0x800) || (width === 4 && rune < 0x10000);
  const isOutside = rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff);
  return isOverlong || isOutside ? invalid : { rune, width };
}
