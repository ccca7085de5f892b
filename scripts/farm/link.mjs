// A network between a process and Redis that can be cut: what is sent meanwhile arrives nowhere, as behind a dead switch.
import { connect, createServer } from 'node:net';

/** Listens at `socket` and passes on to `target`, both Unix sockets. */
export function openLink(socket, target) {
  const ends = new Set();
  let isCut = false;
  const server = createServer({ allowHalfOpen: false }, (near) => {
    const far = connect(target);
    for (const [end, other] of [
      [near, far],
      [far, near],
    ]) {
      ends.add(end);
      end.on('error', () => {});
      end.on('data', (chunk) => {
        if (!isCut) other.write(chunk);
      });
      end.on('close', () => {
        ends.delete(end);
        // An end that nobody hears of.
        if (!isCut) other.destroy();
      });
    }
  });
  server.listen(socket);
  return {
    socket,
    cut() {
      isCut = true;
    },
    /** Both sides find that their connections are of no use any more. */
    mend() {
      isCut = false;
      for (const end of ends) end.destroy();
    },
    close() {
      server.close();
      for (const end of ends) end.destroy();
    },
  };
}
