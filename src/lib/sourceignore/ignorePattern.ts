import { compileGlob, type Glob } from '../../base/goGlob.ts';

/** One line of an ignore file, scoped to the folder the file lies in. */
export interface IgnorePattern {
  /** Names of the folders above, from the tree's root. */
  readonly folder: readonly string[];
  /** True for `!pattern`: what it matches is kept. */
  readonly reincludes: boolean;
  /** True for `pattern/`: a file of that name does not match, files below such a folder do. */
  readonly foldersOnly: boolean;
  /** One segment for a bare name, which matches at any depth; several for a path; undefined for a pattern that matches nothing. */
  readonly segments: readonly Segment[] | undefined;
}

type Segment = 'root' | 'anyDepth' | Glob;

/** The longest line a Go bufio.Scanner reads; it stops without a word at a longer one. */
const maxLineBytes = 65535;
const blankPattern = /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$/;
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The patterns of an ignore file's content, lowest priority first; comments and blank lines are left out.
 * `folder` is the file's own, '' at the root. Follows fluxcd/pkg sourceignore ReadPatterns.
 */
export function parseIgnorePatterns(content: string | Uint8Array, folder: string): readonly IgnorePattern[] {
  const text = typeof content === 'string' ? content : utf8.decode(content);
  const names = folder === '' ? [] : folder.split('/');
  const patterns: IgnorePattern[] = [];
  for (const line of text.split('\n')) {
    if (line.length > maxLineBytes / 4 && Buffer.byteLength(line) > maxLineBytes) break;
    const pattern = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (!pattern.startsWith('#') && !blankPattern.test(pattern)) patterns.push(parsePattern(pattern, names));
  }
  return patterns;
}

/**
 * What the patterns say of a file: the last one that matches decides, a file none matches is kept.
 * Every file is judged by itself, so one below an excluded folder can be re-included (git would not). Follows go-git's matcher.
 */
export function isIgnored(path: string, patterns: readonly IgnorePattern[]): boolean {
  return decides(path, patterns, 'file');
}

/** What the patterns say of a folder by itself; its files are asked about one by one all the same. */
export function isFolderIgnored(path: string, patterns: readonly IgnorePattern[]): boolean {
  return decides(path, patterns, 'folder');
}

type PathKind = 'file' | 'folder';

function decides(path: string, patterns: readonly IgnorePattern[], kind: PathKind): boolean {
  const texts = path.split('/');
  const names = texts.map((name) => Buffer.from(name));
  const deciding = patterns.findLast((pattern) =>
    matchesPathOf(kind === 'folder' ? { ...pattern, foldersOnly: false } : pattern, texts, names),
  );
  return deciding !== undefined && !deciding.reincludes;
}

function parsePattern(line: string, folder: readonly string[]): IgnorePattern {
  const reincludes = line.startsWith('!');
  let pattern = reincludes ? line.slice(1) : line;
  if (!pattern.endsWith('\\ ')) pattern = pattern.replace(/ +$/, '');
  const foldersOnly = pattern.endsWith('/');
  if (foldersOnly) pattern = pattern.slice(0, -1);
  const names = pattern.split('/');
  const segments = names.length === 1 ? compileName(pattern) : compilePath(names);
  return { folder, reincludes, foldersOnly, segments };
}

function compileName(name: string): readonly Segment[] | undefined {
  const glob = compileGlob(name);
  return glob && [glob];
}

function compilePath(names: readonly string[]): readonly Segment[] | undefined {
  const segments: Segment[] = [];
  for (const name of names) {
    const segment =
      name === '' ? 'root' : name === '**' ? 'anyDepth' : name.includes('**') ? undefined : compileGlob(name);
    if (segment === undefined) return undefined;
    segments.push(segment);
  }
  return segments;
}

function matchesPathOf(
  pattern: IgnorePattern,
  texts: readonly string[],
  names: readonly Uint8Array[],
): boolean {
  const { folder, segments, foldersOnly } = pattern;
  if (segments === undefined || texts.length <= folder.length) return false;
  if (folder.some((name, index) => texts[index] !== name)) return false;
  const below = folder.length === 0 ? names : names.slice(folder.length);
  return segments.length === 1
    ? matchesAnyName(segments[0] as Glob, below, foldersOnly)
    : matchesPath(segments, below, foldersOnly);
}

function matchesAnyName(glob: Glob, names: readonly Uint8Array[], foldersOnly: boolean): boolean {
  const index = names.findIndex((name) => glob(name));
  return index >= 0 && !(foldersOnly && index === names.length - 1);
}

/** True when the segments lead to the file or to a folder above it. */
function matchesPath(
  segments: readonly Segment[],
  names: readonly Uint8Array[],
  foldersOnly: boolean,
): boolean {
  let at = 0;
  let hasMatched = false;
  let mayDescend = false;
  for (const [index, segment] of segments.entries()) {
    if (segment === 'anyDepth' && index === segments.length - 1) break;
    if (typeof segment === 'string') {
      mayDescend = segment === 'anyDepth';
      continue;
    }
    if (at === names.length) return false;
    const found = mayDescend
      ? names.findIndex((name, position) => position >= at && segment(name))
      : segment(names[at] as Uint8Array)
        ? at
        : -1;
    if (found < 0 && !mayDescend) return false;
    hasMatched = found >= 0;
    at = found < 0 ? names.length : found + 1;
    mayDescend = false;
  }
  return hasMatched && !(foldersOnly && at === names.length);
}
