import { type Kind, kinds } from './kinds.js';

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** Answers `/version`, `/healthz`, `/api`, `/apis` and the resource lists below them; undefined for other paths. */
export function discover(pathname: string): unknown {
  const path = pathname.replace(/\/$/, '');
  if (path === '/version') return { major: '1', minor: '36', gitVersion: 'v1.36.0-sandbox', platform: 'sandbox' };
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups() };
  if (path === '/api/v1')
    return resourceList(
      'v1',
      kinds.filter((kind) => kind.group === ''),
    );
  const [, group, version] = /^\/apis\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  const served = kinds.filter((kind) => kind.group !== '' && kind.group === group && kind.version === version);
  return served.length > 0 ? resourceList(`${group}/${version}`, served) : undefined;
}

function groups(): object[] {
  const versions = new Map(kinds.filter((kind) => kind.group).map((kind) => [kind.group, kind.version]));
  return [...versions].map(([name, version]) => {
    const preferred = { groupVersion: `${name}/${version}`, version };
    return { name, versions: [preferred], preferredVersion: preferred };
  });
}

function resourceList(groupVersion: string, served: readonly Kind[]): object {
  const resources = served.flatMap((kind) => {
    const common = { singularName: kind.kind.toLowerCase(), namespaced: kind.namespaced, kind: kind.kind };
    const subresources = [kind.status && 'status', kind.scale && 'scale'].filter((name) => typeof name === 'string');
    return [
      { ...common, name: kind.plural, verbs },
      ...subresources.map((sub) => ({ ...common, name: `${kind.plural}/${sub}`, verbs: ['get', 'patch', 'update'] })),
    ];
  });
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}
