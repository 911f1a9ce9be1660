/** Keeps a deleted Flux object until its controller has cleaned up after it; every controller sets this one. */
export const fluxFinalizer = 'finalizers.fluxcd.io';
