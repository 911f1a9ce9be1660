import { resolve } from 'node:path';
import { formatDiagnostic } from '../../base/diagnostic.ts';
import { stringifyJson } from '../../base/json.ts';
import type { LocalBuild } from '../../engine/localBuild.ts';
import { type Command, type CommandContext, flagOption, textOption, UsageError } from '../command.ts';
import type { ObjectRef } from '../../kube/object.ts';
import { parseYaml } from '../../kube/yaml.ts';
import { clusterOptions } from '../globalOptions.ts';
import { lightProcess } from '../lightProcess.ts';
import { withEngine } from '../openEngine.ts';

const restrictions = { LoadRestrictionsRootOnly: 'rootOnly', LoadRestrictionsNone: 'none' } as const;

export const buildCommand: Command = {
  name: 'build',
  summary: 'Print what a folder or a Kustomization builds',
  usage: 'DIR | URL | kustomization NAME [--path DIR] [-f FILE]',
  completions: ['file', 'object'],
  details:
    'A folder, or one of a repository behind a URL, is built as kustomize build does, without asking any cluster. A Kustomization\nof the cluster is built as Flux does, from the repository you stand in, with substitution and ownership labels; values of\nSecrets are masked. With --path DIR it prints what flux build kustomization does: the folder is built with the spec and the\nvariables that the cluster has, without what its .sourceignore leaves out; only what SOPS or a Secret of the cluster hides\nis masked. With -f no cluster is asked: the Kustomization comes from the file and variables of substituteFrom are not\nthere, as in flux build kustomization --dry-run.',
  examples: [
    ['plumb build apps/dev', 'the manifests of an overlay'],
    ['plumb build https://github.com/org/repo//apps/dev?ref=v1', 'the same of a repository elsewhere'],
    ['plumb build apps/dev --explain', 'each field with the line that set it'],
    ['plumb build kustomization apps', 'what Flux would apply from the files you stand in'],
    ['plumb build kustomization apps --path apps', 'the same from another folder, as flux build does'],
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
        'the folder that stands for spec.path; default with -f: spec.path below the present folder',
    },
    'dry-run': { type: 'boolean', description: 'with -f: what it does anyway' },
    'strict-substitute': {
      type: 'string',
      value: 'BOOL',
      completion: ['true', 'false'],
      description:
        'refuse variables that are not set, as the controller does (true, default), or not (false)',
    },
    'no-remote-bases': { type: 'boolean', description: 'refuse bases behind URLs, as Flux can be told to' },
    explain: { type: 'boolean', description: 'print each field with its file and line' },
  },
  run: (ctx) => {
    const [first, name] = ctx.positionals;
    if (first === undefined) throw new UsageError('name a folder, a URL, or kustomization NAME');
    if (name !== undefined && /^(ks|kustomizations?)$/i.test(first)) return buildKustomizationOf(ctx, name);
    if (name !== undefined) throw new UsageError('one folder or URL at a time');
    return buildPlain(ctx, first);
  },
};

function buildKustomizationOf(ctx: CommandContext, name: string): Promise<number> {
  if (textOption(ctx, 'kustomization-file') !== undefined) return buildFromFile(ctx, name);
  if (flagOption(ctx, 'dry-run'))
    throw new UsageError('--dry-run goes with -f FILE, which holds the Kustomization');
  const folder = textOption(ctx, 'path');
  return folder === undefined ? buildFlux(ctx, name) : buildFolder(ctx, name, folder);
}

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

/** The Kustomization of a file: no cluster is asked. */
async function buildFromFile(ctx: CommandContext, name: string): Promise<number> {
  const { buildFluxFile } = await import('../../engine/fluxFile.ts');
  const folder = textOption(ctx, 'path');
  const file = {
    file: resolve(ctx.cwd, textOption(ctx, 'kustomization-file') ?? ''),
    name,
    namespace: namespaceOf(ctx),
  };
  const built = await buildFluxFile(file, {
    ...(folder === undefined ? { below: ctx.cwd } : { folder: resolve(ctx.cwd, folder) }),
    isStrict: strictOf(ctx) ?? true,
    format: formatOf(ctx),
    remoteBases: remoteBasesOf(ctx),
    signal: ctx.signal,
  });
  return printLocalBuild(ctx, built);
}

/** The Kustomization of the cluster, and the files of a folder. */
function buildFolder(ctx: CommandContext, name: string, folder: string): Promise<number> {
  const isStrict = strictOf(ctx);
  const query = {
    folder: resolve(ctx.cwd, folder),
    format: formatOf(ctx),
    remoteBases: remoteBasesOf(ctx),
    ...(isStrict !== undefined && { isStrict }),
  };
  return withEngine(ctx, async (engine) => {
    const built = await engine.buildFolder(refOf(ctx, name), query, { signal: ctx.signal });
    return printLocalBuild(ctx, { ...built, fields: () => built.fields });
  });
}

function strictOf(ctx: CommandContext): boolean | undefined {
  const strict = textOption(ctx, 'strict-substitute');
  if (strict !== undefined && strict !== 'true' && strict !== 'false')
    throw new UsageError(`--strict-substitute takes true or false, not ${JSON.stringify(strict)}`);
  return strict === undefined ? undefined : strict === 'true';
}

function namespaceOf(ctx: CommandContext): string {
  return textOption(ctx, 'namespace') ?? 'flux-system';
}

function refOf(ctx: CommandContext, name: string): ObjectRef {
  const namespace = namespaceOf(ctx);
  return { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization', namespace, name };
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

/** The Kustomization of the cluster, and the files of the folder that stands in for its source. */
function buildFlux(ctx: CommandContext, name: string): Promise<number> {
  const alone = ['strict-substitute', 'no-remote-bases', 'explain'].find(
    (flag) => ctx.options[flag] !== undefined,
  );
  if (alone !== undefined) throw new UsageError(`--${alone} goes with --path DIR or -f FILE`);
  const format = formatOf(ctx);
  return withEngine(ctx, async (engine) => {
    const manifests = await engine.render(refOf(ctx, name), { signal: ctx.signal });
    const texts = manifests.map(({ yaml }) => yaml);
    ctx.terminal.out(format === 'json' ? texts.map(jsonLine).join('') : texts.join('---\n'));
    return 0;
  });
}

function jsonLine(yaml: string): string {
  return parseYaml('', yaml)
    .value.map(({ value }) => `${stringifyJson(value)}\n`)
    .join('');
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
