import { FileTree } from '../../base/fileTree.ts';
import { treeBasename, treeDirname } from '../../base/treePath.ts';
import { isIgnored, parseIgnorePatterns, type IgnorePattern } from './ignorePattern.ts';

/** The name of Flux's ignore files, at the root and in any folder below it. */
export const ignoreFileName = '.sourceignore';

const versionControlFiles = '.git/\n.gitignore\n.gitmodules\n.gitattributes';
const defaultFiles = [
  ...['*.jpg', '*.jpeg', '*.gif', '*.png', '*.wmv', '*.flv', '*.tar.gz', '*.zip'],
  ...['.github/', '.circleci/', '.travis.yml', '.gitlab-ci.yml', 'appveyor.yml', '.drone.yml'],
  ...['cloudbuild.yaml', 'codeship-services.yml', 'codeship-steps.yml'],
  ...['**/.goreleaser.yml', '**/.sops.yaml', '**/.flux.yaml'],
].join('\n');

const versionControlPatterns = parseIgnorePatterns(versionControlFiles, '');
const defaultPatterns = parseIgnorePatterns(defaultFiles, '');

/** The patterns of the files that are left out below a folder whatever its own ignore files say of others. */
export function standardPatterns(folder: string): readonly IgnorePattern[] {
  return parseIgnorePatterns(`${versionControlFiles}\n${defaultFiles}`, folder);
}

/**
 * The part of a repository that Flux puts into an artifact of a GitRepository or OCIRepository (contract 2.3).
 * Reads the tree's own ignore files, then `specIgnore` (spec.ignore). Any pattern of either drops the list of defaults,
 * never the list of version control files. Follows fluxcd/pkg artifact/storage SourceIgnoreFilter.
 */
export function applySourceIgnore(tree: FileTree, specIgnore: string | undefined): FileTree {
  const ignores = artifactIgnore(readIgnoreFiles(tree.entries()), specIgnore);
  return FileTree.from([...tree.entries()].filter(([path]) => !ignores(path)));
}

/** Tells which paths stay out of an artifact, for callers that read files only after asking. */
export function artifactIgnore(
  fromFiles: readonly IgnorePattern[],
  specIgnore: string | undefined,
): (path: string) => boolean {
  const own = [...fromFiles, ...parseIgnorePatterns(specIgnore ?? '', '')];
  const patterns = [...versionControlPatterns, ...(own.length === 0 ? defaultPatterns : own)];
  return (path) => isIgnored(path, patterns);
}

/** The patterns of all ignore files among the given files, parents before children. Those below a `.git` folder do not count. */
export function readIgnoreFiles(
  files: Iterable<readonly [path: string, content: Uint8Array | string]>,
): readonly IgnorePattern[] {
  return [...files]
    .filter(([path]) => treeBasename(path) === ignoreFileName && !path.split('/').includes('.git'))
    .map(([path, content]) => ({ folder: treeDirname(path), content }))
    .sort((left, right) => depth(left.folder) - depth(right.folder))
    .flatMap(({ folder, content }) => parseIgnorePatterns(content, folder));
}

/**
 * Tells which object keys of a Bucket are left out: by its root ignore file, then by spec.ignore, with no defaults.
 * The ignore file itself and keys that end in `/` are always left out. Follows source-controller's bucket index.
 */
export function bucketIgnore(
  rootIgnoreFile: string | Uint8Array | undefined,
  specIgnore: string | undefined,
): (key: string) => boolean {
  const patterns = [
    ...parseIgnorePatterns(rootIgnoreFile ?? '', ''),
    ...parseIgnorePatterns(specIgnore ?? '', ''),
  ];
  return (key) => key.endsWith('/') || key === ignoreFileName || isIgnored(key, patterns);
}

function depth(folder: string): number {
  return folder === '' ? 0 : folder.split('/').length;
}
