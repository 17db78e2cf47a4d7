import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const given = new Set();

/** A port that is free on 127.0.0.1 for UDP and TCP, and that nobody here was given before. */
export async function freePort() {
  for (;;) {
    const port = await portOf(createServer(), (server, done) => server.listen(0, '127.0.0.1', done));
    if (given.has(port)) continue;
    try {
      await portOf(createSocket('udp4'), (socket, done) => socket.bind(port, '127.0.0.1', done));
    } catch {
      continue;
    }
    given.add(port);
    return port;
  }
}

/** The same for who takes the next port as well, as baresip does for TLS. */
export async function freePair() {
  for (;;) {
    const port = await freePort();
    if (given.has(port + 1)) continue;
    try {
      await portOf(createServer(), (server, done) => server.listen(port + 1, '127.0.0.1', done));
    } catch {
      continue;
    }
    given.add(port + 1);
    return port;
  }
}

function portOf(socket, bind) {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    bind(socket, () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}
