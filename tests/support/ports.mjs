import { randomInt } from 'node:crypto';
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

/** Below those that the system gives away (32,768 and up): a caller's audio at a port to which an ended call's is still sent would take it for its own. */
const RTP = { from: 15_000, to: 31_000 };
/** Whoever holds a port of this address has it and the ones up to the next two hundred at 127.0.0.1. */
const MARKS = '127.0.0.3';
const EACH = 200;

/** The first of so many ports for RTP that no other test has while this process runs: what is sent on after a call's end reaches nobody else's. */
export async function rtpRange(ports) {
  for (;;) {
    const first = RTP.from + ports * randomInt(0, Math.floor((RTP.to - RTP.from) / ports));
    const marks = [];
    try {
      for (let port = first - (first % EACH); port < first + ports; port += EACH) marks.push(await mark(port));
      return first;
    } catch {
      for (const held of marks) held.close();
    }
  }
}

async function mark(port) {
  const socket = await bound(createSocket('udp4'), (socket, done) => socket.bind({ port, address: MARKS, exclusive: true }, done));
  return socket.unref();
}

async function portOf(socket, bind) {
  const { port } = (await bound(socket, bind)).address();
  await new Promise((done) => socket.close(done));
  return port;
}

function bound(socket, bind) {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    bind(socket, () => resolve(socket));
  });
}
