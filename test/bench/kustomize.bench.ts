import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { FileTree } from '../../src/base/fileTree.ts';
import { BuildCache } from '../../src/lib/kustomize/buildCache.ts';
import { buildKustomization, type BuildResult } from '../../src/lib/kustomize/buildKustomization.ts';
import { printBuild } from '../../src/lib/kustomize/printBuild.ts';
import { type Bench, type Figure, median } from './figure.ts';
import { kustomizeProgram, runProgram } from './kustomizeProgram.ts';
import { deployment, deploymentPath, overlay, overlayFiles, overlayPath } from './overlay.ts';

const root = resolve(import.meta.dirname, '../..');

/**
 * What a build costs in a process that stays, in one that is started for it, and upstream's program beside both. Every build
 * gives objects, the origin of each field, and the text that is printed.
 */
export const bench: Bench = async ({ smoke }) => {
  const program = await kustomizeProgram();
  if (program === undefined) process.stderr.write('no Go: kustomize itself is not measured\n');
  const bundled = spawnSync(process.execPath, [join(root, 'scripts/build.mjs'), '--production'], {
    cwd: root,
  });
  if (bundled.status !== 0) throw new Error(`the bundles could not be built: ${bundled.stderr.toString()}`);
  const folder = mkdtempSync(join(tmpdir(), 'plumb-bench-'));
  try {
    const figures: Figure[] = [];
    for (const count of smoke ? [20] : [20, 500])
      figures.push(...(await figuresOf(count, join(folder, String(count)), program, smoke)));
    for (const count of smoke ? [10, 100] : [100, 1000, 10_000])
      figures.push(...(await curveOf(count, join(folder, String(count)), program)));
    return figures;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

async function figuresOf(
  count: number,
  folder: string,
  program: string | undefined,
  smoke: boolean,
): Promise<readonly Figure[]> {
  const name = `kustomize ${count}`;
  const warm = warmTimes(count, smoke ? 2 : 31);
  const peer = program === undefined ? undefined : await programTimes(program, count, folder, smoke ? 1 : 5);
  const ours = await programTimes(process.execPath, count, folder, smoke ? 1 : 5);
  if (peer !== undefined && peer.output !== ours.output)
    throw new Error(`plumb build and kustomize build print different texts for ${count} Deployments`);
  const limit = count === 500 ? { unchanged: 5, file: 5, prefix: 30 } : undefined;
  const figures: Figure[] = [
    { name: `${name}: unchanged`, value: warm.unchanged, unit: 'ms', ...limitOf(limit?.unchanged) },
    { name: `${name}: one file changed`, value: warm.file, unit: 'ms', ...limitOf(limit?.file) },
    {
      name: `${name}: all built anew from parsed files`,
      value: warm.prefix,
      unit: 'ms',
      ...limitOf(limit?.prefix),
    },
    { name: `${name}: first build of a tree`, value: warm.first, unit: 'ms' },
    { name: `${name}: every origin read`, value: warm.origins, unit: 'ms' },
    { name: `${name}: plumb build, process`, value: ours.ms, unit: 'ms', ...limitOf(peer?.ms) },
  ];
  if (ours.peakMb !== undefined)
    figures.push({
      name: `${name}: plumb build, peak`,
      value: ours.peakMb,
      unit: 'MB',
      ...limitOf(peer?.peakMb),
    });
  if (peer === undefined) return figures;
  return [
    ...figures,
    { name: `${name}: kustomize build, process`, value: peer.ms, unit: 'ms' },
    ...(peer.peakMb === undefined
      ? []
      : [{ name: `${name}: kustomize build, peak`, value: peer.peakMb, unit: 'MB' } as const]),
    // A limit is the most a figure may be, so ratios are ours to theirs.
    {
      name: `${name}: all built anew / kustomize build`,
      value: warm.prefix / peer.ms,
      unit: '×',
      limit: 1 / 30,
    },
    { name: `${name}: plumb build / kustomize build`, value: ours.ms / peer.ms, unit: '×', limit: 1 },
  ];
}

function limitOf(limit: number | undefined): { readonly limit?: number } {
  return limit === undefined ? {} : { limit };
}

interface WarmTimes {
  /** The same tree again. */
  readonly unchanged: number;
  /** One Deployment of the base has another number of replicas, each time a new one. */
  readonly file: number;
  /** The overlay has another prefix, each time a new one: files stay parsed, every object is built again. */
  readonly prefix: number;
  /** With an empty cache and new bytes: everything is parsed. */
  readonly first: number;
  /** To look up the origin of each field of each object of a finished build. */
  readonly origins: number;
}

function warmTimes(count: number, runs: number): WarmTimes {
  const cache = new BuildCache();
  let tree = FileTree.from(overlayFiles(count));
  const changed = deploymentPath(Math.floor(count / 2));
  let run = 0;
  const timed = (next: () => FileTree, used = cache): number => {
    const times: number[] = [];
    for (let index = 0; index < runs; index++) {
      run++;
      tree = next();
      const started = performance.now();
      build(tree, used);
      times.push(performance.now() - started);
    }
    return median(times.sort((a, b) => a - b));
  };
  const originTimes: number[] = [];
  const first = timed(() => FileTree.from(overlayFiles(count)), undefined);
  build(tree, cache);
  const prefix = timed(() => tree.with(`${overlayPath}/kustomization.yaml`, overlay(`p${run}-`)));
  const file = timed(() => tree.with(changed, deployment(Math.floor(count / 2), run)));
  const unchanged = timed(() => tree);
  for (let index = 0; index < runs; index++) {
    const { objects } = build(tree, cache);
    const started = performance.now();
    for (const { origins } of objects) for (const _ of origins.entries());
    originTimes.push(performance.now() - started);
  }
  return { unchanged, file, prefix, first, origins: median(originTimes.sort((a, b) => a - b)) };
}

function build(tree: FileTree, cache: BuildCache | undefined): BuildResult {
  const result = buildKustomization(tree, overlayPath, {
    order: 'legacy',
    ...(cache !== undefined && { cache }),
  });
  if (result.diagnostics.length > 0 || printBuild(result.objects) === '')
    throw new Error('the overlay cannot be built');
  return result;
}

interface ProgramTimes {
  readonly ms: number;
  readonly peakMb: number | undefined;
  readonly output: string;
}

/** The median time and the highest peak of a program: kustomize, or Node with the bundled command line. */
async function programTimes(
  program: string,
  count: number,
  folder: string,
  runs: number,
): Promise<ProgramTimes> {
  for (const [path, text] of overlayFiles(count)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const entry = program === process.execPath ? [join(root, 'dist/cli.mjs')] : [];
  const args = [...entry, 'build', join(folder, overlayPath), '--load-restrictor', 'LoadRestrictionsNone'];
  const results = [];
  for (let run = 0; run < runs; run++) results.push(await runProgram(program, args));
  const peaks = results.flatMap(({ peakMb }) => (peakMb === undefined ? [] : [peakMb]));
  return {
    ms: median(results.map(({ ms }) => ms).sort((a, b) => a - b)),
    peakMb: peaks.length === 0 ? undefined : Math.max(...peaks),
    output: results[0]?.output ?? '',
  };
}

/** How time grows with the number of Deployments. */
async function curveOf(
  count: number,
  folder: string,
  program: string | undefined,
): Promise<readonly Figure[]> {
  const warm = warmTimes(count, 3);
  const ours = await programTimes(process.execPath, count, folder, 1);
  const figures: Figure[] = [
    { name: `kustomize curve ${count}: one file changed`, value: warm.file, unit: 'ms' },
    { name: `kustomize curve ${count}: all built anew from parsed files`, value: warm.prefix, unit: 'ms' },
    { name: `kustomize curve ${count}: first build of a tree`, value: warm.first, unit: 'ms' },
    { name: `kustomize curve ${count}: plumb build, process`, value: ours.ms, unit: 'ms' },
  ];
  // Upstream's time grows with the square: 10,000 objects take it minutes.
  if (program === undefined || count > 1000) return figures;
  const peer = await programTimes(program, count, folder, 1);
  return [
    ...figures,
    { name: `kustomize curve ${count}: kustomize build, process`, value: peer.ms, unit: 'ms' },
  ];
}
