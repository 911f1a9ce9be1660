// Builds every kustomization below a folder with Plumb and with the real library, and compares what they print.
//   node test/fuzz/compareFolder.ts FOLDER [--answers FILE] [--only TEXT] [--show N]
// --answers keeps the library's answers in a file, so that a second run asks for new ones only.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatDiagnostic } from '../../src/base/diagnostic.ts';
import { isPlumbError } from '../../src/base/plumbError.ts';
import { buildTarget } from '../../src/engine/localBuild.ts';
import type { OracleAnswer } from '../oracle/oracle.ts';
import { withOracle } from './fuzzRun.ts';

/** How two answers to one kustomization compare. */
type Verdict =
  'equal' | 'both refuse' | 'differs' | 'only Plumb refuses' | 'only upstream refuses' | 'remote';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    answers: { type: 'string' },
    only: { type: 'string', default: '' },
    show: { type: 'string', default: '20' },
  },
});
const [folder] = positionals;
if (folder === undefined) throw new Error('name a folder');
const top = resolve(folder);
const roots = kustomizationsBelow(top).filter((root) => root.includes(values.only));
const answers = readAnswers();
const verdicts = new Map<Verdict, string[]>();
await withOracle(async (oracle) => {
  for (const root of roots) {
    const plumb = await buildWithPlumb(join(top, root));
    const isRemote = plumb.error?.includes('remote bases are not allowed') === true;
    const upstream = isRemote
      ? {}
      : (answers[root] ?? (await oracle.ask('kustomize', { folder: join(top, root) })));
    if (!isRemote) answers[root] = upstream;
    const verdict = isRemote ? 'remote' : compare(plumb, upstream);
    const text = `${root || '.'}${detailOf(verdict, plumb, upstream)}`;
    verdicts.set(verdict, [...(verdicts.get(verdict) ?? []), text]);
  }
});
if (values.answers !== undefined) writeFileSync(values.answers, JSON.stringify(answers));
report();

/** Every folder below that holds a kustomization file. */
function kustomizationsBelow(from: string): readonly string[] {
  const found = readdirSync(from, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(?:kustomization\.ya?ml|Kustomization)$/.test(entry.name))
    .map((entry) => relative(from, entry.parentPath));
  return [...new Set(found)].filter((path) => !/(?:^|\/)(?:\.git|node_modules)(?:\/|$)/.test(path)).sort();
}

function readAnswers(): Record<string, OracleAnswer> {
  if (values.answers === undefined || !existsSync(values.answers)) return {};
  return JSON.parse(readFileSync(values.answers, 'utf8')) as Record<string, OracleAnswer>;
}

async function buildWithPlumb(path: string): Promise<OracleAnswer> {
  const { signal } = new AbortController();
  try {
    const built = await buildTarget(path, '/', {
      loadRestrictions: 'rootOnly',
      format: 'yaml',
      remoteBases: 'refused',
      signal,
    });
    const error = built.diagnostics.find(({ severity }) => severity === 'error');
    return error === undefined ? { output: built.text } : { error: formatDiagnostic(error) };
  } catch (error) {
    if (isPlumbError(error)) return { error: `${error.code}: ${error.message}` };
    return { error: `DEFECT: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` };
  }
}

function compare(plumb: OracleAnswer, upstream: OracleAnswer): Verdict {
  if (plumb.error?.startsWith('DEFECT') === true) return 'differs';
  if (upstream.error !== undefined)
    return plumb.error === undefined ? 'only upstream refuses' : 'both refuse';
  if (plumb.error !== undefined) return 'only Plumb refuses';
  return plumb.output === upstream.output ? 'equal' : 'differs';
}

function detailOf(verdict: Verdict, plumb: OracleAnswer, upstream: OracleAnswer): string {
  if (plumb.error?.startsWith('DEFECT') === true) return `\n    ${plumb.error}`;
  if (verdict === 'both refuse') return `\n    - ${upstream.error}\n    + ${plumb.error}`;
  if (verdict === 'only Plumb refuses') return `\n    ${plumb.error}`;
  if (verdict === 'only upstream refuses') return `\n    ${upstream.error}`;
  return verdict === 'differs' ? firstDifference(String(plumb.output), String(upstream.output)) : '';
}

function firstDifference(plumb: string, upstream: string): string {
  const [ours, theirs] = [plumb.split('\n'), upstream.split('\n')];
  const at = theirs.findIndex((line, index) => line !== ours[index]);
  const from = Math.max(0, at < 0 ? theirs.length - 1 : at);
  const shown = (lines: readonly string[], mark: string) =>
    lines
      .slice(from, from + 3)
      .map((line) => `\n    ${mark} ${line.slice(0, 200)}`)
      .join('');
  return `:${from + 1}${shown(theirs, '-')}${shown(ours, '+')}`;
}

function report(): void {
  for (const [verdict, texts] of verdicts) {
    const isShown = verdict !== 'equal' && (verdict !== 'both refuse' || values.only !== '');
    for (const text of isShown ? texts.slice(0, Number(values.show)) : [])
      process.stdout.write(`${verdict}: ${text}\n`);
  }
  const counts = [...verdicts].map(([verdict, texts]) => `${verdict} ${texts.length}`).join(', ');
  process.stdout.write(`${top}: ${roots.length} kustomizations: ${counts}\n`);
}
