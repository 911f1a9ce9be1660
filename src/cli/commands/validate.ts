import { isAbsolute, join, relative, resolve } from 'node:path';
import { type Diagnostic, formatDiagnostic } from '../../base/diagnostic.ts';
import { type Command, type CommandContext, flagOption, textOption, UsageError } from '../command.ts';
import type { Validation } from '../validateFiles.ts';

/** `plumb validate`: the editor's diagnostics on the command line, for CI. */
export const validateCommand: Command = {
  name: 'validate',
  summary: 'Find mistakes in manifests before Git or a cluster does',
  usage: '[PATH...] [-o json]',
  completions: ['file'],
  details: `Looks at every YAML file at or below the paths, or the current folder: Flux kinds, Kubernetes' own kinds, kinds
defined by CustomResourceDefinitions in the repository, and kustomization.yaml. Files are judged as part of their git
repository, so that sources, bases and dependencies beside the path are found. Nothing is rendered, and no cluster is
asked. Every code in brackets has a page under docs/diagnostics.

Exit code: 0 nothing found, 1 errors or warnings found, 2 a path does not exist, 64 wrong usage.`,
  examples: [
    ['plumb validate', 'everything below this folder'],
    ['plumb validate clusters/prod apps/base', 'only these folders'],
    ['plumb validate --errors-only -o json', 'for a script: errors alone, as JSON'],
  ],
  options: {
    'errors-only': { type: 'boolean', description: 'tell and count errors only, no warnings' },
    output: {
      type: 'string',
      short: 'o',
      value: 'FORMAT',
      completion: ['text', 'json'],
      description: 'text (default) or json',
    },
  },
  run: async (ctx) => {
    const format = textOption(ctx, 'output') ?? 'text';
    if (format !== 'text' && format !== 'json') throw new UsageError(`unknown output format ${format}`);
    const paths = ctx.positionals.length === 0 ? ['.'] : ctx.positionals;
    // The tables of all kinds are only loaded when they are needed.
    const { validateFiles } = await import('../validateFiles.ts');
    const validations = await validateFiles(
      paths.map((path) => resolve(ctx.cwd, path)),
      ctx.signal,
    );
    const found = validations.flatMap((validation) => diagnosticsOf(ctx, validation));
    for (const { root, unread } of validations)
      for (const path of unread)
        ctx.terminal.err(`${shown(ctx, root, path)}: too large or unreadable, not looked at\n`);
    const files = validations.reduce((sum, validation) => sum + validation.files, 0);
    if (format === 'json') ctx.terminal.out(`${JSON.stringify(report(files, found), undefined, 2)}\n`);
    else print(ctx, files, found);
    return count(found, 'error') + count(found, 'warning') > 0 ? 1 : 0;
  },
};

/** With paths as the user would type them from here. */
function diagnosticsOf(ctx: CommandContext, { root, diagnostics }: Validation): Diagnostic[] {
  const wanted = flagOption(ctx, 'errors-only') ? ['error'] : ['error', 'warning', 'information'];
  return diagnostics
    .filter(({ severity }) => wanted.includes(severity))
    .map((diagnostic) => ({ ...diagnostic, path: shown(ctx, root, diagnostic.path) }));
}

function shown(ctx: CommandContext, root: string, path: string): string {
  const absolute = join(root, path);
  const near = relative(ctx.cwd, absolute);
  return near === '' || isAbsolute(near) ? absolute : near;
}

function print({ terminal }: CommandContext, files: number, found: readonly Diagnostic[]): void {
  for (const diagnostic of found) terminal.out(`${formatDiagnostic(diagnostic)} [${diagnostic.code}]\n`);
  const counts = [counted(count(found, 'error'), 'error'), counted(count(found, 'warning'), 'warning')];
  terminal.err(`${counted(files, 'file')}: ${counts.join(', ')}\n`);
}

/** Lines and columns count from one, as in the text. */
function report(files: number, found: readonly Diagnostic[]): object {
  return {
    summary: { files, errors: count(found, 'error'), warnings: count(found, 'warning') },
    diagnostics: found.map(({ path, range, severity, code, message, hint }) => ({
      path,
      line: range.start.line + 1,
      column: range.start.character + 1,
      endLine: range.end.line + 1,
      endColumn: range.end.character + 1,
      severity,
      code,
      message,
      ...(hint !== undefined && { hint }),
    })),
  };
}

function count(found: readonly Diagnostic[], severity: Diagnostic['severity']): number {
  return found.filter((diagnostic) => diagnostic.severity === severity).length;
}

function counted(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
