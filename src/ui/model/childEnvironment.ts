type Environment = Readonly<Record<string, string | undefined>>;

/** What the editor's settings say about proxies. */
export interface ProxySettings {
  /** `http.proxy`; empty where the environment is to be followed. */
  readonly proxy: string;
  /** `http.noProxy`. */
  readonly noProxy: readonly string[];
  /** `http.proxySupport`; with `off` the setting does not concern extensions. */
  readonly support: string;
}

/** All that a program without network and credentials needs to start. */
const harmlessNames = ['PATH', 'LANG', 'TZ', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot'];

/**
 * The environment with the proxy of the settings, which the engine, git and credential programs read there. The editor puts
 * its own requests through it, but not those of the programs that it starts.
 */
export function withProxySettings(env: Environment, { proxy, noProxy, support }: ProxySettings): Environment {
  if (proxy === '' || support === 'off') return env;
  const given = {
    https_proxy: proxy,
    http_proxy: proxy,
    ...(noProxy.length > 0 && { no_proxy: noProxy.join(',') }),
  };
  // Some programs know only one spelling.
  const pairs = Object.entries(given).flatMap(([name, value]) => [
    [name, value] as const,
    [name.toUpperCase(), value] as const,
  ]);
  return { ...env, ...Object.fromEntries(pairs) };
}

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
