import { plainText } from './plainText.ts';
import { decryptionError, isSopsMap, sopsMap, type SopsItem, type SopsMap } from './sopsTree.ts';

const defaultSection = 'DEFAULT';

/** The sections of an ini file, the nameless one first. Throws DecryptionFailed. */
export function readIni(text: string): SopsMap {
  const reader = new IniReader(text.replace(/^\ufeff/, ''));
  return reader.read();
}

interface Section {
  readonly name: string;
  comment: string;
  readonly keys: Map<string, { value: string; comment: string }>;
}

/** Follows gopkg.in/ini.v1 with AllowNonUniqueSections, as far as files without its options go. */
class IniReader {
  readonly #lines: string[];
  #next = 0;
  #comment = '';

  constructor(text: string) {
    this.#lines = text.split(/(?<=\n)/);
  }

  read(): SopsMap {
    const sections: Section[] = [{ name: defaultSection, comment: '', keys: new Map() }];
    let section = sections[0] as Section;
    for (let line = this.#line(); line !== undefined; line = this.#line()) {
      const trimmed = line.trimStart();
      if (trimmed === '') continue;
      if (/^[#;]/.test(trimmed)) this.#comment += trimmed;
      else if (trimmed.startsWith('[')) {
        section = this.#section(trimmed);
        sections.push(section);
      } else this.#key(section, trimmed);
    }
    return sopsMap(sections.map(({ name, comment, keys }) => ({ key: name, value: itemsOf(comment, keys) })));
  }

  #line(): string | undefined {
    return this.#lines[this.#next++];
  }

  #section(line: string): Section {
    const close = line.lastIndexOf(']');
    if (close < 0) throw this.#problem('opens a section that is not closed');
    const behind = /[#;].*/su.exec(line.slice(close + 1))?.[0] ?? '';
    return { name: line.slice(1, close), comment: this.#takeComment(behind), keys: new Map() };
  }

  #key(section: Section, line: string): void {
    const { name, rest } = this.#keyName(line);
    const value = this.#value(rest);
    const known = section.keys.get(name);
    const comment = this.#takeComment('');
    if (known !== undefined) {
      known.value = value;
      known.comment = comment;
    } else section.keys.set(name, { value, comment });
  }

  #keyName(line: string): { readonly name: string; readonly rest: string } {
    const quote = line.startsWith('"""') && line.length > 6 ? '"""' : /^["`]/.exec(line)?.[0];
    const close = quote === undefined ? 0 : line.indexOf(quote, quote.length);
    if (close < 0) throw this.#problem('has a key whose quote is not closed');
    const behind = quote === undefined ? 0 : close + quote.length;
    const at = line.slice(behind).search(/[=:]/);
    if (at < 0 || (quote === undefined && at === 0)) throw this.#problem('is no key with a value');
    const name = quote === undefined ? line.slice(0, at) : line.slice(quote.length, close);
    return { name: name.trim(), rest: line.slice(behind + at + 1) };
  }

  #value(text: string): string {
    const line = text.trimStart();
    if (line === '') return '';
    const quote = line.startsWith('"""') && line.length > 3 ? '"""' : line.startsWith('`') ? '`' : undefined;
    if (quote !== undefined) {
      const close = line.lastIndexOf(quote);
      return close >= quote.length
        ? line.slice(quote.length, close)
        : this.#multiline(line.slice(quote.length), quote);
    }
    const trimmed = line.trim();
    if (trimmed.endsWith('\\')) return this.#continued(trimmed.slice(0, -1));
    const comment = trimmed.search(/[#;]/);
    if (comment >= 0) this.#comment += trimmed.slice(comment);
    const value = comment < 0 ? trimmed : trimmed.slice(0, comment).trim();
    return /^'[^']*'$|^"[^"]*"$/s.test(value) ? value.slice(1, -1) : value;
  }

  #multiline(start: string, quote: string): string {
    let value = start;
    for (let line = this.#line(); line !== undefined; line = this.#line()) {
      const close = line.lastIndexOf(quote);
      if (close >= 0) return value + line.slice(0, close);
      value += line;
    }
    throw this.#problem('has a value whose quote is not closed');
  }

  #continued(start: string): string {
    let value = start;
    for (let line = this.#line(); line !== undefined; line = this.#line()) {
      const next = line.trim();
      if (next === '') break;
      value += next;
      if (!value.endsWith('\\')) break;
      value = value.slice(0, -1);
    }
    return value;
  }

  #takeComment(behind: string): string {
    const comment = (this.#comment + behind).trim();
    this.#comment = '';
    return comment;
  }

  #problem(what: string): Error {
    return decryptionError(`could not read the ini file: line ${this.#next} ${what}`);
  }
}

function itemsOf(comment: string, keys: Section['keys']): SopsMap {
  const items: SopsItem[] = commentItems(comment);
  for (const [key, entry] of keys) items.push({ key, value: entry.value }, ...commentItems(entry.comment));
  return sopsMap(items);
}

function commentItems(comment: string): SopsItem[] {
  if (comment === '') return [];
  const value = comment.replace(/^;[; ]*|^#[# ]*/, '');
  return [{ key: { kind: 'comment', value, isInline: false }, value: null }];
}

/** As SOPS writes ini files: `=` aligned in each section, an empty line between sections. */
export function printIni(map: SopsMap): string {
  const sections = map.items.flatMap(({ key, value }) => {
    if (typeof key !== 'string') return [];
    if (!isSopsMap(value)) throw decryptionError(`the value of ${key} is no section of an ini file`);
    return [{ name: key, items: value.items }];
  });
  return sections
    .map(({ name, items }, index) => {
      const text = printSection(name, items, index === 0);
      return text === undefined || index === sections.length - 1 ? (text ?? '') : `${text}\n`;
    })
    .join('');
}

function printSection(name: string, items: readonly SopsItem[], isFirst: boolean): string | undefined {
  const [first] = items;
  const hasComment = first !== undefined && typeof first.key !== 'string';
  const heading = hasComment && typeof first.key !== 'string' ? printComment(first.key.value) : '';
  const entries: { key: string; text: string; comment: string }[] = [];
  for (const { key, value } of hasComment ? items.slice(1) : items) {
    const last = entries.at(-1);
    if (typeof key === 'string') {
      const text = plainText(value);
      if (text === undefined)
        throw decryptionError(`cannot use complex value in ini file; offending key ${key}`);
      entries.push({ key: quoteKey(key), text, comment: '' });
    } else if (last !== undefined) last.comment = key.value;
  }
  const isNameless = isFirst && name.toUpperCase() === defaultSection;
  if (isNameless && entries.length === 0) return heading === '' ? undefined : heading;
  const width = Math.max(0, ...entries.map(({ key }) => Buffer.byteLength(key)));
  const lines = entries.map(({ key, text, comment }) => {
    const pad = ' '.repeat(width - Buffer.byteLength(key));
    return `${comment === '' ? '' : printComment(comment)}${key}${pad} = ${quoteValue(text)}\n`;
  });
  return `${heading}${isNameless ? '' : `[${name}]\n`}${lines.join('')}`;
}

function printComment(comment: string): string {
  return comment
    .split('\n')
    .map((line) =>
      /^[#;]/.test(line) ? `${line.slice(0, 1)} ${line.slice(1).trim()}\n` : `; ${line.trim()}\n`,
    )
    .join('');
}

function quoteKey(key: string): string {
  if (/["=:]/.test(key)) return `\`${key}\``;
  return key.includes('`') ? `"""${key}"""` : key;
}

function quoteValue(value: string): string {
  if (/[\n`]/.test(value)) return `"""${value}"""`;
  if (/[#;]/.test(value)) return `\`${value}\``;
  return value.trim() === value ? value : `"${value}"`;
}
