// Stands in for undici in the bundles: Plumb sends its own requests, so nothing of it is ever called.
export class Agent {}
export class ProxyAgent {}
export const fetch = undefined;
