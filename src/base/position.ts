/** A place in a text file: zero-based line, zero-based character in UTF-16 units, as the editor counts. */
export interface Position {
  readonly line: number;
  readonly character: number;
}

/** A stretch of a text file; `end` is exclusive. */
export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** The file and stretch of text that set something. `path` is relative to the FileTree's root, with `/`. */
export interface Origin {
  readonly path: string;
  readonly range: Range;
}
