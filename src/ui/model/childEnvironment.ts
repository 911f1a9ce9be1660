type Environment = Readonly<Record<string, string | undefined>>;

/** All that a program without network and credentials needs to start. */
const harmlessNames = ['PATH', 'LANG', 'TZ', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot'];

/**
 * The environment of the engine: what the editor set for itself stays behind, so that git, exec plugins and
 * credential programs never inherit it. ELECTRON_RUN_AS_NODE makes the editor's program a Node; the child deletes it.
 */
export function childEnvironment(env: Environment): Record<string, string | undefined> {
  const own = Object.entries(env).filter(([name]) => !/^(VSCODE_|ELECTRON_)/.test(name));
  return { ...Object.fromEntries(own), ELECTRON_RUN_AS_NODE: '1' };
}

/** The environment of the language server: no token that a variable may hold reaches it. */
export function languageServerEnvironment(env: Environment): Record<string, string | undefined> {
  const own = Object.entries(env).filter(([name]) => harmlessNames.includes(name));
  return { ...Object.fromEntries(own), ELECTRON_RUN_AS_NODE: '1' };
}
