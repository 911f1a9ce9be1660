import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { JsonObject, JsonValue } from '../../src/base/json.ts';
import type { OracleAnswer } from '../oracle/oracle.ts';
import { checkAgainstGolden, checkDifferencesAreCases, type KnownDifference } from './knownDifference.ts';

/** One input of a table; `name` is unique within its suite. */
export interface VectorCase {
  readonly name: string;
  readonly input: JsonObject;
}

/** Suites of inputs and answers: a table per file in `cases`, upstream's answers by case name in `golden`. */
export const vectorSuites = ['cel', 'envsubst', 'kstatus', 'sourceignore', 'yaml'] as const;

/** The tables of `sops` lie beside the others; their answers come from an oracle of its own. */
export type VectorSuite = (typeof vectorSuites)[number] | 'sops';

export function vectorFolder(suite: VectorSuite): string {
  return join(import.meta.dirname, suite);
}

/** The tables of a suite by file name without its ending; a case without a name is named by its input's text. */
export function readTables(
  suite: VectorSuite,
): readonly (readonly [table: string, cases: readonly VectorCase[]])[] {
  const folder = join(vectorFolder(suite), 'cases');
  return readdirSync(folder)
    .sort()
    .map((file) => [file.replace(/\.yaml$/, ''), readTable(join(folder, file))] as const);
}

/** Runs every case of a suite against its golden answer; `comparable` reduces both to what must be equal. */
export function checkVectors(
  suite: VectorSuite,
  known: readonly KnownDifference[],
  answer: (input: JsonObject) => OracleAnswer,
  comparable: (answer: OracleAnswer | undefined, input: JsonObject) => unknown = (whole) => whole,
): void {
  const names: string[] = [];
  for (const [table, cases] of readTables(suite)) {
    const golden = JSON.parse(
      readFileSync(join(vectorFolder(suite), 'golden', `${table}.json`), 'utf8'),
    ) as Record<string, OracleAnswer>;
    for (const { name, input } of cases) {
      names.push(name);
      test(`${suite}: ${name}`, () =>
        checkAgainstGolden(name, known, comparable(answer(input), input), comparable(golden[name], input)));
    }
  }
  test(`${suite}: known differences are cases`, () => checkDifferencesAreCases(known, names));
}

function readTable(file: string): readonly VectorCase[] {
  const document = parse(readFileSync(file, 'utf8'), { merge: true }) as {
    readonly defaults?: JsonObject;
    /** The member that a case of a single text stands for. */
    readonly shorthand?: string;
    readonly cases: readonly (JsonObject | string)[];
  };
  const seen = new Set<string>();
  return document.cases.map((entry) => {
    const own = typeof entry === 'string' ? { [document.shorthand ?? 'text']: entry } : entry;
    const { name, ...input } = own;
    const title = typeof name === 'string' ? name : describe(input);
    if (seen.has(title)) throw new Error(`${file}: two cases named ${title}`);
    seen.add(title);
    return { name: title, input: { ...document.defaults, ...input } };
  });
}

function describe(input: Readonly<Record<string, JsonValue | undefined>>): string {
  const [first] = Object.values(input);
  return typeof first === 'string' ? JSON.stringify(first).slice(1, -1) : JSON.stringify(first);
}
