import { resolve } from 'node:path';
import { formatDiagnostic } from '../../base/diagnostic.ts';
import type { LocalBuild } from '../../engine/localBuild.ts';
import { type Command, type CommandContext, flagOption, textOption, UsageError } from '../command.ts';
import { clusterOptions } from '../globalOptions.ts';
import { lightProcess } from '../lightProcess.ts';
import { withEngine } from '../openEngine.ts';

const restrictions = { LoadRestrictionsRootOnly: 'rootOnly', LoadRestrictionsNone: 'none' } as const;

export const buildCommand: Command = {
  name: 'build',
  summary: 'Print what a folder or a Kustomization builds',
  usage: 'DIR | URL | kustomization NAME [--path DIR -f FILE]',
  completions: ['file', 'object'],
  details:
    'A folder, or one of a repository behind a URL, is built as kustomize build does, without asking any cluster. A Kustomization is built as Flux does, from the\nrepository you stand in, with substitution and ownership labels; values of Secrets are masked. With -f no cluster is asked:\nthe Kustomization comes from the file, the manifests from --path, variables of substituteFrom are not there, and only\nwhat SOPS encrypted is masked, as in flux build kustomization --dry-run.',
  examples: [
    ['plumb build apps/dev', 'the manifests of an overlay'],
    ['plumb build https://github.com/org/repo//apps/dev?ref=v1', 'the same of a repository elsewhere'],
    ['plumb build apps/dev --explain', 'each field with the line that set it'],
    ['plumb build kustomization apps', 'what Flux would apply from the files you stand in'],
    ['plumb build kustomization apps -f flux.yaml --path apps', 'the same without a cluster'],
  ],
  options: {
    ...clusterOptions,
    'load-restrictor': {
      type: 'string',
      value: 'NAME',
      completion: ['LoadRestrictionsRootOnly', 'LoadRestrictionsNone'],
      description: 'LoadRestrictionsRootOnly (default) or LoadRestrictionsNone',
    },
    output: {
      type: 'string',
      short: 'o',
      value: 'FORMAT',
      completion: ['yaml', 'json'],
      description: 'yaml (default) or json',
    },
    'kustomization-file': {
      type: 'string',
      short: 'f',
      value: 'FILE',
      completion: 'file',
      description: 'the file that holds the Kustomization; no cluster is asked',
    },
    path: {
      type: 'string',
      value: 'DIR',
      completion: 'file',
      description:
        'with -f: the folder that stands for spec.path; default: spec.path below the present folder',
    },
    'dry-run': { type: 'boolean', description: 'with -f: what it does anyway' },
    'strict-substitute': {
      type: 'string',
      value: 'BOOL',
      completion: ['true', 'false'],
      description:
        'with -f: refuse variables that are not set, as the controller does (true, default), or not (false)',
    },
    'no-remote-bases': { type: 'boolean', description: 'refuse bases behind URLs, as Flux can be told to' },
    explain: { type: 'boolean', description: 'print each field with its file and line' },
  },
  run: (ctx) => {
    const [first, name] = ctx.positionals;
    if (first === undefined) throw new UsageError('name a folder, a URL, or kustomization NAME');
    if (name !== undefined && /^(ks|kustomizations?)$/i.test(first))
      return textOption(ctx, 'kustomization-file') === undefined
        ? buildFlux(ctx, name)
        : buildFluxFile(ctx, name);
    if (name !== undefined) throw new UsageError('one folder or URL at a time');
    return buildPlain(ctx, first);
  },
};

async function buildPlain(ctx: CommandContext, target: string): Promise<number> {
  const onRead = lightProcess();
  const { buildTarget } = await import('../../engine/localBuild.ts');
  const built = await buildTarget(target, ctx.cwd, {
    loadRestrictions: restrictionOf(ctx),
    format: formatOf(ctx),
    remoteBases: remoteBasesOf(ctx),
    signal: ctx.signal,
    onRead,
  });
  return printLocalBuild(ctx, built);
}

async function buildFluxFile(ctx: CommandContext, name: string): Promise<number> {
  const { buildFluxFolder } = await import('../../engine/localFluxBuild.ts');
  const strict = textOption(ctx, 'strict-substitute') ?? 'true';
  if (strict !== 'true' && strict !== 'false')
    throw new UsageError(`--strict-substitute takes true or false, not ${JSON.stringify(strict)}`);
  const folder = textOption(ctx, 'path');
  const built = await buildFluxFolder({
    ...(folder !== undefined && { folder: resolve(ctx.cwd, folder) }),
    cwd: ctx.cwd,
    file: resolve(ctx.cwd, textOption(ctx, 'kustomization-file') ?? ''),
    name,
    namespace: textOption(ctx, 'namespace') ?? 'flux-system',
    isStrict: strict === 'true',
    format: formatOf(ctx),
    remoteBases: remoteBasesOf(ctx),
    signal: ctx.signal,
  });
  return printLocalBuild(ctx, built);
}

function remoteBasesOf(ctx: CommandContext): 'fetched' | 'refused' {
  return flagOption(ctx, 'no-remote-bases') ? 'refused' : 'fetched';
}

function printLocalBuild(ctx: CommandContext, { text, fields, diagnostics }: LocalBuild): number {
  for (const diagnostic of diagnostics) ctx.terminal.err(`${formatDiagnostic(diagnostic)}\n`);
  if (diagnostics.some(({ severity }) => severity === 'error')) return 2;
  if (!flagOption(ctx, 'explain')) ctx.terminal.out(text);
  for (const { object, pointer, origin } of flagOption(ctx, 'explain') ? fields() : []) {
    ctx.terminal.out(`${object} ${pointer}  ${origin.path}:${origin.range.start.line + 1}\n`);
  }
  return 0;
}

function buildFlux(ctx: CommandContext, name: string): Promise<number> {
  const alone = ['path', 'dry-run', 'strict-substitute'].find((flag) => ctx.options[flag] !== undefined);
  if (alone !== undefined)
    throw new UsageError(`--${alone} goes with -f FILE, which holds the Kustomization`);
  return withEngine(ctx, async (engine) => {
    const namespace = textOption(ctx, 'namespace') ?? 'flux-system';
    const ref = {
      group: 'kustomize.toolkit.fluxcd.io',
      version: 'v1',
      kind: 'Kustomization',
      namespace,
      name,
    };
    const manifests = await engine.render(ref, { signal: ctx.signal });
    ctx.terminal.out(manifests.map(({ yaml }) => yaml).join('---\n'));
    return 0;
  });
}

function restrictionOf(ctx: CommandContext): 'none' | 'rootOnly' {
  const wanted = textOption(ctx, 'load-restrictor') ?? 'LoadRestrictionsRootOnly';
  const restriction = restrictions[wanted as keyof typeof restrictions];
  if (restriction === undefined)
    throw new UsageError(`--load-restrictor takes ${Object.keys(restrictions).join(' or ')}`);
  return restriction;
}

function formatOf(ctx: CommandContext): 'yaml' | 'json' {
  const format = textOption(ctx, 'output') ?? 'yaml';
  if (format !== 'yaml' && format !== 'json')
    throw new UsageError(`--output takes yaml or json, not ${JSON.stringify(format)}`);
  return format;
}
