// Runs test/bench/*.bench.ts one after the other and compares each figure with the last run on this machine.
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { formatTable } from '../src/cli/table.ts';
import type { Bench, Figure } from '../test/bench/figure.ts';

const root = resolve(import.meta.dirname, '..');
const resultsFile = join(root, 'test/bench/results/last.json');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    smoke: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const files = globSync(join(root, 'test/bench/*.bench.ts')).sort();
const chosen = files.filter(
  (file) => positionals.length === 0 || positionals.includes(basename(file, '.bench.ts')),
);
if (chosen.length === 0) {
  process.stderr.write(
    `no such benchmark; there are ${files.map((file) => basename(file, '.bench.ts')).join(', ') || 'none'}\n`,
  );
  process.exit(64);
}

const last = readLast();
const figures: Figure[] = [];
for (const file of chosen) {
  const { bench } = (await import(pathToFileURL(file).href)) as { readonly bench: Bench };
  process.stderr.write(`${basename(file, '.bench.ts')} …\n`);
  figures.push(...(await bench({ smoke: values.smoke, large: values.large })));
}

const over = figures.filter(({ value, limit }) => limit !== undefined && value > limit);
if (values.json) process.stdout.write(`${JSON.stringify(figures, undefined, 2)}\n`);
else process.stdout.write(formatTable(['figure', 'value', 'limit', 'last run', ''], figures.map(rowOf)));
if (!values.smoke) {
  mkdirSync(join(root, 'test/bench/results'), { recursive: true });
  writeFileSync(
    resultsFile,
    JSON.stringify(
      { ...last, ...Object.fromEntries(figures.map(({ name, value }) => [name, value])) },
      undefined,
      2,
    ),
  );
}
if (over.length > 0)
  process.stdout.write(`\n${over.length} over the limit: ${over.map(({ name }) => name).join(', ')}\n`);
// A smoke run on a busy machine proves that the benchmarks work, not how fast anything is.
process.exitCode = over.length > 0 && !values.smoke ? 1 : 0;

function rowOf({ name, value, unit, limit }: Figure): readonly string[] {
  const before = last[name];
  const change =
    before === undefined || before === 0 ? '' : `${(((value - before) / before) * 100).toFixed(0)} %`;
  const verdict = limit === undefined ? '' : value <= limit ? 'ok' : 'OVER';
  return [
    name,
    `${shown(value)} ${unit}`,
    limit === undefined ? '' : `${shown(limit)} ${unit}`,
    change,
    verdict,
  ];
}

function shown(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(3);
}

function readLast(): Readonly<Record<string, number>> {
  try {
    return JSON.parse(readFileSync(resultsFile, 'utf8')) as Record<string, number>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}
