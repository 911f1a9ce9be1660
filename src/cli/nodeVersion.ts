/** The oldest Node that has what the bundle uses: VS Code's own is this or newer. */
const oldestMajor = 22;

/** What to say where Node is too old to run Plumb; undefined where it is not. */
export function nodeRefusal(version: string): string | undefined {
  if (Number.parseInt(version, 10) >= oldestMajor) return undefined;
  return `plumb: Node ${version} is too old: run it with Node ${oldestMajor} or newer\n`;
}
