/**
 * One spelling for all addresses of a repository, so that `git@github.com:org/fleet.git`, `ssh://git@ssh.github.com:443/org/fleet`
 * and `https://GitHub.com/org/fleet.git` are the same: host in lower case, path without `.git`; scheme, user and port are dropped.
 * A loopback address keeps its port: different ports there are different servers.
 */
export function normalizedRemote(url: string): string {
  const scp = /^(?:[^@/]+@)?([^:/]+):(?!\/\/)(.+)$/.exec(url);
  const [host, port, path] = scp === null ? parts(url) : [scp[1] as string, '', scp[2] as string];
  const lowerHost = host.toLowerCase();
  const knownHost =
    lowerHost === 'ssh.github.com'
      ? 'github.com'
      : lowerHost === 'altssh.gitlab.com'
        ? 'gitlab.com'
        : lowerHost;
  const place =
    /^(localhost|127\.|\[::1\])/.test(knownHost) && port !== '' ? `${knownHost}:${port}` : knownHost;
  return `${place}/${path.replace(/^\/+|\/+$/g, '').replace(/\.git$/, '')}`;
}

function parts(url: string): readonly [host: string, port: string, path: string] {
  if (!URL.canParse(url)) return ['', '', url];
  const { hostname, port, pathname } = new URL(url);
  return [hostname, port, decodeURI(pathname)];
}
