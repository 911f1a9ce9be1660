import { nameAffixesOf, pathReferencesOf, type FileUse, type PathReference } from './kustomizationPaths.ts';
import type { ParsedFile, WrittenObject } from './parseFile.ts';
import { itemsOf, nodeAt, textAt } from './yamlAccess.ts';

/** What all files together say about single files and names. */
export interface WorkspaceFacts {
  /** How kustomizations use a file. */
  readonly uses: ReadonlyMap<string, ReadonlySet<FileUse>>;
  /** The kustomizations that name a file. */
  readonly users: ReadonlyMap<string, readonly ParsedFile[]>;
  /** What overlays put around the names of objects. */
  readonly affixes: readonly { readonly prefix: string; readonly suffix: string }[];
  /** The names of the ExternalArtifacts that an ArtifactGenerator makes; `{name}` stands for any text. */
  readonly generated: readonly { readonly generator: WrittenObject; readonly name: RegExp }[];
}

/** What one file contributes. */
interface FileFacts {
  readonly affixes: WorkspaceFacts['affixes'];
  readonly generated: WorkspaceFacts['generated'];
  readonly paths: readonly PathReference[];
}

/** Gathers the facts of all files; a file is only looked at again when its text has changed. */
export function gatherFacts(files: Iterable<ParsedFile>): WorkspaceFacts {
  const uses = new Map<string, Set<FileUse>>();
  const users = new Map<string, ParsedFile[]>();
  const affixes: { prefix: string; suffix: string }[] = [];
  const generated: { generator: WrittenObject; name: RegExp }[] = [];
  for (const file of files) {
    const facts = factsOf(file);
    if (facts === undefined) continue;
    affixes.push(...facts.affixes);
    generated.push(...facts.generated);
    for (const { target, use } of facts.paths) {
      if (target === undefined) continue;
      uses.set(target, (uses.get(target) ?? new Set()).add(use));
      const known = users.get(target);
      if (known === undefined) users.set(target, [file]);
      else known.push(file);
    }
  }
  return { uses, users, affixes, generated };
}

const known = new WeakMap<ParsedFile, FileFacts | undefined>();

/** Undefined for the many files that say nothing about others. */
function factsOf(file: ParsedFile): FileFacts | undefined {
  if (!known.has(file)) known.set(file, readFacts(file));
  return known.get(file);
}

function readFacts({ path, kustomization, objects }: ParsedFile): FileFacts | undefined {
  const affixes = objects
    .filter(({ group }) => group === 'kustomize.toolkit.fluxcd.io')
    .map(({ node }) => ({
      prefix: textAt(node, ['spec', 'namePrefix']) ?? '',
      suffix: textAt(node, ['spec', 'nameSuffix']) ?? '',
    }));
  if (kustomization !== undefined) affixes.push(nameAffixesOf(kustomization));
  const facts: FileFacts = {
    affixes: affixes.filter(({ prefix, suffix }) => prefix !== '' || suffix !== ''),
    generated: objects.filter(({ kind }) => kind === 'ArtifactGenerator').flatMap(artifactsOf),
    paths: kustomization === undefined ? [] : pathReferencesOf(path, kustomization),
  };
  return facts.affixes.length + facts.generated.length + facts.paths.length === 0 ? undefined : facts;
}

function artifactsOf(generator: WrittenObject): { generator: WrittenObject; name: RegExp }[] {
  return itemsOf(nodeAt(generator.node, ['spec', 'artifacts'])).flatMap((artifact) => {
    const name = textAt(artifact, ['name']);
    if (name === undefined) return [];
    const parts = name.split(/\{[^}]*\}/).map((part) => part.replaceAll(/[^\w-]/g, '\\$&'));
    return [{ generator, name: new RegExp(`^${parts.join('.+')}$`) }];
  });
}
