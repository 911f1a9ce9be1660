import type { CodeAction, CompletionItem, DocumentLink, Hover, Location } from 'vscode-languageserver-types';
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Position, Range } from '../base/position.ts';
import { completionsAt } from './completion.ts';
import { hoverAt } from './hover.ts';
import { definitionsAt, linksIn } from './links.ts';
import { overlayEffects } from './model/overlayEffects.ts';
import type { ParsedFile } from './model/parseFile.ts';
import { WorkspaceIndex } from './model/workspaceIndex.ts';
import { quickFixOf } from './quickFixes.ts';
import { ownRules, sharedRules } from './rules/allRules.ts';

export interface LanguageServiceDependencies {
  /** The address of a file of the folder, for links and edits. */
  uriOf(path: string): string;
}

/**
 * The language service of one workspace folder. Paths are relative to the folder, with `/`.
 * Pure: it knows the files it was told of and does no I/O.
 */
export interface LanguageService {
  /** Takes a file's text, or only that there is such a file where the text does not matter. */
  setFile(path: string, text: string | undefined): void;
  deleteFile(path: string): void;
  /** Every file whose diagnostics may be asked for. */
  paths(): Iterable<string>;
  /** Every file it was told of. */
  allPaths(): Iterable<string>;
  /** What is wrong in a file, in the order of its lines. The same list as before when nothing changed. */
  diagnostics(path: string): readonly Diagnostic[];
  completions(path: string, position: Position): CompletionItem[];
  hover(path: string, position: Position): Hover | undefined;
  definitions(path: string, position: Position): Location[];
  links(path: string): DocumentLink[];
  /** Edits that the hints of diagnostics in the range propose. */
  quickFixes(path: string, range: Range): CodeAction[];
}

/** A language service that knows no files yet. */
export function createLanguageService({ uriOf }: LanguageServiceDependencies): LanguageService {
  const workspace = new WorkspaceIndex();
  const judge = createJudge(workspace);
  const diagnostics = (path: string): readonly Diagnostic[] => {
    const file = workspace.file(path);
    return file === undefined || workspace.isTemplate(path) ? [] : judge(file);
  };
  return {
    setFile: (path, text) => workspace.set(path, text),
    deleteFile: (path) => workspace.delete(path),
    *paths() {
      for (const file of workspace.files()) yield file.path;
    },
    allPaths: () => workspace.paths(),
    diagnostics,
    completions(path, position) {
      const file = workspace.file(path);
      return file === undefined ? [] : completionsAt(workspace, path, file.text, position);
    },
    hover(path, position) {
      const file = workspace.file(path);
      return file && hoverAt(workspace, file, position);
    },
    definitions(path, position) {
      const file = workspace.file(path);
      const places = file === undefined ? [] : definitionsAt(workspace, file, position);
      return places.map((place) => ({ uri: uriOf(place.path), range: place.range }));
    },
    links(path) {
      const file = workspace.file(path);
      const links = file === undefined ? [] : linksIn(workspace, file);
      return links.map(({ range, target }) => ({ range, target: uriOf(target) }));
    },
    quickFixes(path, range) {
      return diagnostics(path)
        .filter((diagnostic) => overlaps(diagnostic.range, range))
        .flatMap((diagnostic) => quickFixOf(diagnostic, uriOf(path)) ?? []);
    },
  };
}

function overlaps(left: Range, right: Range): boolean {
  return left.start.line <= right.end.line && right.start.line <= left.end.line;
}

interface Judgement {
  readonly state: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** Runs the rules, each only when what it looks at has changed. */
function createJudge(workspace: WorkspaceIndex): (file: ParsedFile) => readonly Diagnostic[] {
  const own = new WeakMap<ParsedFile, Judgement>();
  const all = new WeakMap<ParsedFile, Judgement>();
  const judgeOwn = (file: ParsedFile): readonly Diagnostic[] => {
    const uses = [...workspace.usesOf(file.path)].sort();
    const state = JSON.stringify([workspace.schemaGeneration, uses, overlayEffects(workspace, file.path)]);
    const known = own.get(file);
    if (known?.state === state) return known.diagnostics;
    const diagnostics = ownRules.flatMap((rule) => rule.check(workspace, file));
    own.set(file, { state, diagnostics });
    return diagnostics;
  };
  return (file) => {
    const state = String(workspace.generation);
    const known = all.get(file);
    if (known?.state === state) return known.diagnostics;
    const diagnostics = [
      ...judgeOwn(file),
      ...sharedRules.flatMap((rule) => rule.check(workspace, file)),
    ].sort(byPlace);
    all.set(file, { state, diagnostics });
    return diagnostics;
  };
}

function byPlace(left: Diagnostic, right: Diagnostic): number {
  const a = left.range.start;
  const b = right.range.start;
  return a.line - b.line || a.character - b.character;
}
