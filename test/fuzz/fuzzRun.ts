import { startOracle, type Oracle } from '../oracle/oracle.ts';

/** How many cases a run compares, and from which seed on. */
export interface FuzzRange {
  readonly firstSeed: number;
  readonly count: number;
}

/** The range of the short run, or what `FUZZ_COUNT` and `FUZZ_SEED` say. */
export function fuzzRange(count: number): FuzzRange {
  const number = (name: string, otherwise: number): number => {
    const value = Number(process.env[name] ?? otherwise);
    if (!Number.isInteger(value) || value < 0) throw new Error(`${name} must be a whole number`);
    return value;
  };
  return { firstSeed: number('FUZZ_SEED', 1), count: number('FUZZ_COUNT', count) };
}

/** Runs the work with an oracle that ends with it. */
export async function withOracle<T>(work: (oracle: Oracle) => Promise<T>): Promise<T> {
  const oracle = await startOracle();
  try {
    return await work(oracle);
  } finally {
    await oracle.close();
  }
}
