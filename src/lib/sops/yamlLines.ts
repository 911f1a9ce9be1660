/** How a piece of text joins what is before it on its line. */
interface Joint {
  /** `-` and `?`: what follows may stay on the line as if it began there. */
  readonly isIndicator?: boolean;
  /** No blank before it. */
  readonly isGlued?: boolean;
}

/**
 * Puts YAML together line by line, with the state that go-yaml's emitter keeps: whether the line has begun, whether
 * only indentation is on it, and where the last comment below an entry stood (the next entry there is set apart).
 */
export class YamlLines {
  #text = '';
  #column = 0;
  #endsBlank = true;
  #isIndentation = true;
  #footIndent = -1;
  #isOpenEnded = false;
  /** Waits for the end of the line that is being written. */
  lineComment: readonly string[] = [];

  documentStart(): void {
    this.startLine(0);
    this.write('---', {});
    this.startLine(0);
  }

  documentEnd(): void {
    this.#footIndent = -1;
    this.startLine(0);
  }

  end(): string {
    return this.#isOpenEnded ? `${this.#text}...\n` : this.#text;
  }

  /** Moves to the column of a new entry, on a new line unless only indentation and indicators are on this one. */
  startLine(indent: number): void {
    const column = Math.max(0, indent);
    if (!this.#isIndentation || this.#column > column || (this.#column === column && !this.#endsBlank))
      this.#break();
    if (this.#footIndent === column) this.#break();
    if (this.#column < column) this.#put(' '.repeat(column - this.#column));
    this.#endsBlank = true;
    this.#footIndent = -1;
  }

  write(text: string, { isIndicator = false, isGlued = false }: Joint): void {
    this.#put(isGlued || this.#endsBlank ? text : ` ${text}`);
    this.#endsBlank = false;
    this.#isIndentation &&= isIndicator;
    this.#isOpenEnded = false;
  }

  /** A block of lines kept as they are, behind the `|` that says how it ends. */
  literal(text: string, indent: number): void {
    const hint = /^[ \n\r\u0085\u2028\u2029]/.test(text) ? '4' : '';
    const ending = /[\n\r\u0085\u2028\u2029]{2}$|^[\n\r\u0085\u2028\u2029]$/.test(text)
      ? '+'
      : /[\n\r\u0085\u2028\u2029]$/.test(text)
        ? ''
        : '-';
    this.write(`|${hint}${ending}`, {});
    this.#isOpenEnded = ending === '+';
    if (this.lineComment.length > 0) this.flushLineComment(indent);
    else this.#break();
    this.#endsBlank = true;
    let isLineStart = true;
    for (const piece of text.split(/([\n\r\u0085\u2028\u2029])/)) {
      if (piece === '') continue;
      if (/^[\n\r\u0085\u2028\u2029]$/.test(piece)) {
        if (piece === '\n') this.#break();
        else this.#put(piece);
        isLineStart = true;
      } else {
        if (isLineStart) this.startLine(indent);
        this.#put(piece);
        this.#isIndentation = false;
        isLineStart = false;
      }
    }
  }

  /** Comment lines at a column, before an entry. */
  comment(comments: readonly string[], indent: number): void {
    if (comments.length === 0) return;
    this.startLine(indent);
    this.#writeComments(comments, indent);
  }

  /** Comment lines after the last entry of a block. */
  footComment(comments: readonly string[], indent: number): void {
    this.comment(comments, indent);
    this.#footIndent = Math.max(0, indent);
  }

  flushLineComment(indent: number): void {
    const comments = this.lineComment;
    if (comments.length === 0) return;
    this.lineComment = [];
    if (!this.#endsBlank) this.#put(' ');
    this.#writeComments(comments, indent);
  }

  #writeComments(comments: readonly string[], indent: number): void {
    for (const [index, comment] of comments.entries()) {
      if (index > 0) this.startLine(indent);
      this.#put(`#${comment}`);
      this.#isIndentation = false;
      this.#break();
    }
    this.#endsBlank = true;
  }

  #put(text: string): void {
    this.#text += text;
    this.#column += text.length;
  }

  #break(): void {
    this.#text += '\n';
    this.#column = 0;
    this.#isIndentation = true;
  }
}
