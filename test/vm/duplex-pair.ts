import { Duplex } from 'node:stream';

/** Two streams, each reading what the other writes, as the ends of a socket pair do. */
export function duplexPair(): [Duplex, Duplex] {
  const ends: Duplex[] = [0, 1].map(
    (index) =>
      new Duplex({
        allowHalfOpen: false,
        read() {},
        write(chunk, _encoding, done) {
          ends[1 - index]?.push(chunk);
          done();
        },
        final(done) {
          ends[1 - index]?.push(null);
          done();
        },
      }),
  );
  return ends as [Duplex, Duplex];
}
