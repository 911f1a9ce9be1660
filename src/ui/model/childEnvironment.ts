/**
 * The environment of a forked child: what the editor set for itself stays behind, so that git, exec plugins and
 * credential programs never inherit it. ELECTRON_RUN_AS_NODE makes the editor's program a Node; the child deletes it.
 */
export function childEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const own = Object.entries(env).filter(([name]) => !/^(VSCODE_|ELECTRON_)/.test(name));
  return { ...Object.fromEntries(own), ELECTRON_RUN_AS_NODE: '1' };
}
