/** Server calls of one run under way at once. */
export const callLimit = 16;
