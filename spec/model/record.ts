import fc from 'fast-check';

/** Of plain objects, so that what is printed can be read. */
export function record<T>(parts: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(parts, { noNullPrototype: true });
}
