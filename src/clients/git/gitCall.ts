/** One run of git. The environment is all that git gets: nothing of this process is added. */
export interface GitCall {
  readonly args: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** What git reads from its standard input. */
  readonly input?: string | Buffer;
  readonly signal?: AbortSignal;
  /** What it is about, for errors: the repository's URL without credentials. */
  readonly subject?: string;
}

/** The git program: a name on the PATH, or a path. */
export type GitProgram = string;
