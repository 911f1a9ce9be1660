import { resolve } from 'node:path';
import { formatDiagnostic } from '../../base/diagnostic.ts';
import { type Command, type CommandContext, flagOption, textOption, UsageError } from '../command.ts';
import { clusterOptions } from '../globalOptions.ts';
import { lightProcess } from '../lightProcess.ts';
import { withEngine } from '../openEngine.ts';

const restrictions = { LoadRestrictionsRootOnly: 'rootOnly', LoadRestrictionsNone: 'none' } as const;

export const buildCommand: Command = {
  name: 'build',
  summary: 'Print what a folder or a Kustomization builds',
  usage: 'DIR | kustomization NAME',
  completions: ['file', 'object'],
  details:
    'A folder is built as kustomize build does, without asking any cluster. A Kustomization is built as Flux does, from the\nrepository you stand in, with substitution and ownership labels; values of Secrets are masked.',
  examples: [
    ['plumb build apps/dev', 'the manifests of an overlay'],
    ['plumb build apps/dev --explain', 'each field with the line that set it'],
    ['plumb build kustomization apps', 'what Flux would apply from the files you stand in'],
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
    explain: { type: 'boolean', description: 'print each field with its file and line' },
  },
  run: (ctx) => {
    const [first, name] = ctx.positionals;
    if (first === undefined) throw new UsageError('name a folder, or kustomization NAME');
    if (name !== undefined && /^(ks|kustomizations?)$/i.test(first)) return buildFlux(ctx, name);
    if (name !== undefined) throw new UsageError('one folder at a time');
    return buildDirectory(ctx, first);
  },
};

async function buildDirectory(ctx: CommandContext, folder: string): Promise<number> {
  const onRead = lightProcess();
  const { buildFolder } = await import('../../engine/localBuild.ts');
  const { text, fields, diagnostics } = await buildFolder(resolve(ctx.cwd, folder), {
    loadRestrictions: restrictionOf(ctx),
    format: formatOf(ctx),
    signal: ctx.signal,
    onRead,
  });
  for (const diagnostic of diagnostics) ctx.terminal.err(`${formatDiagnostic(diagnostic)}\n`);
  if (diagnostics.some(({ severity }) => severity === 'error')) return 2;
  if (!flagOption(ctx, 'explain')) ctx.terminal.out(text);
  for (const { object, pointer, origin } of flagOption(ctx, 'explain') ? fields() : []) {
    ctx.terminal.out(`${object} ${pointer}  ${origin.path}:${origin.range.start.line + 1}\n`);
  }
  return 0;
}

function buildFlux(ctx: CommandContext, name: string): Promise<number> {
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
