import type { YamlText } from '../../kube/yamlNode.ts';
import { objectsOf, readPiece, splitDocuments, type PieceContent } from './documents.ts';
import { nowhere, type Node } from './node.ts';
import { BuildFailure, type BuildProblem } from './problem.ts';
import { Resource } from './resource.ts';

/** The objects of one file, and where its documents stand in it. */
export interface FileObjects {
  readonly resources: readonly Resource[];
  readonly warnings: readonly BuildProblem[];
  /** What keeps the file from being read. */
  readonly problems: readonly BuildProblem[];
  /** The line of the file on which each document's text starts. */
  readonly lines: ReadonlyMap<YamlText, number>;
  readonly pieces: readonly PieceContent[];
}

/** Objects that a cache holds at most, unless it is told otherwise: a few builds of ten thousand each. */
const defaultLimit = 250_000;

/**
 * What a build may take over from earlier ones: parsed documents by their text, and the work of layers by what they were
 * made from. Give the same cache to every build of a tree and its later versions; two trees may share one. What has not
 * been used for longest is forgotten once more objects are held than the limit allows; with 0 nothing is held.
 */
export class BuildCache {
  readonly #files = new WeakMap<Uint8Array, FileObjects>();
  readonly #resources = new WeakMap<Node, Resource>();
  readonly #entries = new Map<string, { readonly value: unknown; readonly size: number }>();
  readonly #limit: number;
  #size = 0;

  constructor({ limit = defaultLimit }: { readonly limit?: number } = {}) {
    this.#limit = limit;
  }

  /** How many objects are held, counted once for each piece of work they are part of. */
  get size(): number {
    return this.#size;
  }

  /** The work that was kept under a name. */
  recall(name: string): unknown {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry.value;
  }

  /** Keeps work, in the place of what had the name. `size` is the number of objects it holds. */
  keep(name: string, value: unknown, size: number): void {
    this.#forget(name);
    const counted = Math.max(1, size);
    if (counted > this.#limit) return;
    this.#entries.set(name, { value, size: counted });
    this.#size += counted;
    for (const oldest of this.#entries.keys()) {
      if (this.#size <= this.#limit) return;
      this.#forget(oldest);
    }
  }

  #forget(name: string): void {
    this.#size -= this.#entries.get(name)?.size ?? 0;
    this.#entries.delete(name);
  }

  /** The objects of a file; only documents whose text is new are parsed. */
  read(path: string, bytes: Uint8Array): FileObjects {
    const known = this.#files.get(bytes);
    if (known !== undefined) return known;
    const objects = this.#parse(path, bytes);
    if (this.#limit === 0) return objects;
    this.#files.set(bytes, objects);
    this.keep(`text:${path}`, objects, objects.resources.length);
    return objects;
  }

  /** The line on which a text starts in the file it was read from, as that file is now. */
  lineOf(source: YamlText, bytes: Uint8Array | undefined): number {
    return (bytes === undefined ? undefined : this.#files.get(bytes)?.lines.get(source)) ?? source.line;
  }

  #parse(path: string, bytes: Uint8Array): FileObjects {
    const reusable = reusablePieces(this.recall(`text:${path}`) as FileObjects | undefined);
    const lines = new Map<YamlText, number>();
    const pieces: PieceContent[] = [];
    try {
      for (const { text, line } of splitDocuments(path, decodeText(path, bytes))) {
        const piece = reusable.get(text)?.shift() ?? readPiece({ path, text, line });
        lines.set(piece.source, line);
        pieces.push(piece);
      }
    } catch (error) {
      if (!(error instanceof BuildFailure)) throw error;
      return { resources: [], warnings: [], problems: [error.problem], lines, pieces };
    }
    const problems = pieces.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
    const warnings = pieces.flatMap(({ ignored }) => (ignored === undefined ? [] : [ignored]));
    return { ...this.#objects(pieces, problems), warnings, lines, pieces };
  }

  #objects(
    pieces: readonly PieceContent[],
    problems: readonly BuildProblem[],
  ): { readonly resources: readonly Resource[]; readonly problems: readonly BuildProblem[] } {
    if (problems.length > 0) return { resources: [], problems };
    const documents = pieces.flatMap(({ node }) => (node === undefined ? [] : [node]));
    try {
      return {
        resources: objectsOf(documents, pieces.length).map((node) => this.#resourceOf(node)),
        problems,
      };
    } catch (error) {
      if (!(error instanceof BuildFailure)) throw error;
      return { resources: [], problems: [error.problem] };
    }
  }

  #resourceOf(node: Node): Resource {
    if (this.#limit === 0) return new Resource(node);
    let resource = this.#resources.get(node);
    if (resource === undefined) {
      resource = new Resource(node);
      this.#resources.set(node, resource);
    }
    return resource;
  }
}

function reusablePieces(file: FileObjects | undefined): Map<string, PieceContent[]> {
  const byText = new Map<string, PieceContent[]>();
  for (const piece of file?.pieces ?? []) {
    const list = byText.get(piece.source.text);
    if (list === undefined) byText.set(piece.source.text, [piece]);
    else list.push(piece);
  }
  return byText;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The text of a file, with Windows line ends made plain; a binary file is refused. */
export function decodeText(path: string, bytes: Uint8Array): string {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new BuildFailure({
      code: 'build-invalid-file',
      message: 'the file is not UTF-8 text',
      place: nowhere,
      path,
      hint: 'a binary file can be content of a ConfigMap or Secret, but no resource',
    });
  }
  return text.includes('\r\n') ? text.replaceAll('\r\n', '\n') : text;
}
