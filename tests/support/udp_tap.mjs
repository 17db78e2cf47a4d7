// A wire between a browser and the switch's media port that can be looked at, cut and moved.
import { createSocket } from 'node:dgram';

/** What kind of packet this is, by its first byte (RFC 7983). */
export function kindOf(packet) {
  const first = packet[0];
  if (first < 4) return 'stun';
  if (first >= 20 && first < 64) return 'dtls';
  if (first < 128 || first > 191) return 'other';
  const type = packet[1] & 0x7f;
  return type >= 64 && type < 96 ? 'rtcp' : 'rtp';
}

export class UdpTap {
  /** Every packet that passed: `{ at, to: 'switch' | 'browser', kind, bytes, stun }`. */
  packets = [];
  /** While true nothing passes, either way. */
  cut = false;
  #near;
  #far = new Map();
  #target;
  #address = '127.0.0.1';
  /** Sockets of addresses that the browsers have left. */
  #left = [];

  /** Listens on a port of its own and passes on to the switch's media port. */
  static async open(targetPort) {
    const tap = new UdpTap();
    tap.#target = targetPort;
    tap.#near = createSocket('udp4');
    tap.#near.on('message', (packet, from) => tap.#fromBrowser(packet, from));
    await new Promise((resolve, reject) => tap.#near.once('error', reject).bind(0, '127.0.0.1', resolve));
    return tap;
  }

  get port() {
    return this.#near.address().port;
  }

  close() {
    this.#near.close();
    for (const socket of [...this.#far.values(), ...this.#left]) socket.close();
  }

  /** From now on the browsers' packets come from there; what the switch sends to where they came from before is lost without a word. */
  moveTo(address) {
    this.#address = address;
    for (const socket of this.#far.values()) socket.removeAllListeners('message');
    this.#left.push(...this.#far.values());
    this.#far.clear();
  }

  /** Packets of these kinds between two moments (performance.now). */
  between(from, to, ...kinds) {
    return this.packets.filter(({ at, kind }) => at >= from && at < to && kinds.includes(kind));
  }

  // One socket for each of the browser's, so that the switch sees them apart.
  #fromBrowser(packet, from) {
    const key = `${from.address}:${from.port}`;
    if (!this.#far.has(key)) {
      const socket = createSocket('udp4');
      socket.on('message', (reply) => this.#pass(reply, 'browser', this.#near, from.port, from.address));
      socket.bind(0, this.#address);
      this.#far.set(key, socket);
    }
    this.#pass(packet, 'switch', this.#far.get(key), this.#target, '127.0.0.1');
  }

  #pass(packet, to, socket, port, address) {
    if (this.cut) return;
    const kind = kindOf(packet);
    const seen = { at: performance.now(), to, kind, bytes: packet.length };
    if (kind === 'stun') seen.stun = packet.readUInt16BE(0);
    this.packets.push(seen);
    socket.send(packet, port, address);
  }
}
