/** One measured figure; a `limit` is what an issue promised. Ratios against a peer binary have the unit `×`. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: 'ms' | 'MB' | 'KB' | '×' | 'runs' | 'runs/s';
  readonly limit?: number;
}

/**
 * A benchmark file exports one of these as `bench`. `smoke` asks for the smallest run that shows that it works, `large` for what
 * takes minutes too.
 */
export type Bench = (options: {
  readonly smoke: boolean;
  readonly large: boolean;
}) => Promise<readonly Figure[]>;

/** Milliseconds each of `runs` calls took, sorted. */
export async function timings(
  runs: number,
  work: () => Promise<unknown> | unknown,
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const started = performance.now();
    await work();
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b);
}

/** The middle one. */
export function median(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] as number;
}
