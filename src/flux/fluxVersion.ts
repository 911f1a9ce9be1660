/** The newest release of the Flux line that Plumb follows; the version label of what it installs. */
export const fluxVersion = 'v2.9.5';
