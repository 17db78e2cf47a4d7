// The customer's ears and mouth: the RTP of a call whose signalling SIPp does. SIPp names this port in its SDP (RTP, RFC 3550).
import { randomBytes, randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { decodeUlaw, RATE } from './audio.mjs';

const FRAME = 160;
const PTIME = 20;
const SILENCE = Buffer.alloc(FRAME, 0xff);
/** Of telephone events, in the scenarios' SDP. */
const EVENTS = 101;
/** In 20 ms: a key is pressed, its end is sent, the next one is not pressed yet. */
const [PRESSED, ENDED, RELEASED] = [5, 3, 3];

export class CallerAudio {
  /** Every RTP packet heard: when (performance.now), and its fields. */
  heard = [];
  #speech;
  #socket;
  #timer;
  #remote;
  #sent = 0;
  /** What goes out in place of the voice, frame by frame: a telephone event, the voice after all (null), or whoever waits. */
  #keys = [];
  #pressedAt = 0;
  #began = 0;
  #sequence = randomInt(1 << 16);
  #timestamp = randomInt(2 ** 32);
  #ssrc = randomBytes(4);

  /** Binds a port and says `speech` (µ-law bytes) again and again to whoever speaks first to it, or to `speakTo`. */
  static async open(speech = SILENCE) {
    const audio = new CallerAudio();
    audio.#speech = speech;
    audio.#socket = createSocket('udp4');
    audio.#socket.on('message', (packet, from) => audio.#hear(packet, from));
    await new Promise((resolve, reject) => audio.#socket.once('error', reject).bind(0, '127.0.0.1', resolve));
    return audio;
  }

  get port() {
    return this.#socket.address().port;
  }

  speakTo(port, address = '127.0.0.1') {
    this.#remote = { port, address };
    this.#began ||= performance.now();
    this.#timer ??= setInterval(() => this.#speak(), PTIME / 2);
  }

  say(speech) {
    this.#speech = speech;
  }

  /** Presses keys one after another (RFC 4733, 100 ms each); resolves when the last one is let go. */
  press(keys) {
    const frames = [...keys].flatMap((key) => {
      const code = '0123456789*#'.indexOf(key);
      const event = (_, frame) => {
        const duration = FRAME * Math.min(frame + 1, PRESSED);
        return { first: frame === 0, payload: [code, (frame < PRESSED ? 0 : 0x80) | 10, duration >> 8, duration & 0xff] };
      };
      return [...Array.from({ length: PRESSED + ENDED }, event), ...Array(RELEASED).fill(null)];
    });
    return new Promise((resolve) => this.#keys.push(...frames, resolve));
  }

  close() {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  /** Samples heard between two moments (performance.now), in the order of the stream. */
  samples(from = 0, to = Infinity) {
    const packets = this.heard.filter((packet) => packet.at >= from && packet.at < to && packet.type === 0);
    return decodeUlaw(Buffer.concat(packets.map((packet) => packet.payload)));
  }

  /** Begins to listen. The ear resolves with all that is heard from here on, once that is as many seconds; a busy machine may take longer. */
  ear() {
    const from = performance.now();
    return async (seconds) => {
      const wanted = seconds * RATE;
      await this.when(() => this.samples(from).length >= wanted, `${seconds} s of sound for the caller`, seconds * 3000 + 20_000);
      return this.samples(from);
    };
  }

  /** Resolves with what is heard during the next seconds. */
  listen(seconds) {
    return this.ear()(seconds);
  }

  /** Resolves when the condition holds; it is looked at with every packet. */
  when(condition, what, patience = 10_000) {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => done(reject, new Error(`did not come within ${patience} ms: ${what}`)), patience);
      const look = () => condition() && done(resolve);
      const done = (settle, value) => {
        clearTimeout(deadline);
        this.#socket.off('message', look);
        settle(value);
      };
      this.#socket.on('message', look);
      look();
    });
  }

  #hear(packet, from) {
    const type = packet[1] & 0x7f;
    if (packet.length < 12 || packet[0] >> 6 !== 2 || (type >= 64 && type < 96)) return;
    if (!this.#remote) this.speakTo(from.port, from.address);
    const header = 12 + 4 * (packet[0] & 0x0f);
    this.heard.push({
      at: performance.now(),
      type,
      marker: packet[1] >> 7 === 1,
      sequence: packet.readUInt16BE(2),
      timestamp: packet.readUInt32BE(4),
      ssrc: packet.readUInt32BE(8),
      payload: Buffer.from(packet.subarray(header)),
    });
  }

  // Catches up when the machine was busy, so that the stream keeps its rate.
  #speak() {
    const due = Math.floor((performance.now() - this.#began) / PTIME);
    for (; this.#sent <= due; this.#sent++) {
      while (typeof this.#keys[0] === 'function') this.#keys.shift()();
      const key = this.#keys.shift();
      if (key?.first) this.#pressedAt = this.#sent;
      const packet = Buffer.alloc(12 + (key ? 4 : FRAME));
      packet[0] = 0x80;
      packet[1] = (key ? EVENTS : 0) | (this.#sent === 0 || key?.first ? 0x80 : 0);
      packet.writeUInt16BE((this.#sequence + this.#sent) & 0xffff, 2);
      // An event keeps the timestamp of its beginning.
      packet.writeUInt32BE((this.#timestamp + (key ? this.#pressedAt : this.#sent) * FRAME) % 2 ** 32, 4);
      this.#ssrc.copy(packet, 8);
      if (key) packet.set(key.payload, 12);
      else for (let i = 0; i < FRAME; i++) packet[12 + i] = this.#speech[(this.#sent * FRAME + i) % this.#speech.length];
      this.#socket.send(packet, this.#remote.port, this.#remote.address);
    }
  }
}

/** Samples of time that may pass between two sources of one stream: the old one's last packet and the new one's first. */
const CHANGE = 480;

/** Where a stream as heard is not one: jumps of sequence number, timestamp or source between neighbours. */
export function breaks(packets) {
  const found = [];
  for (let i = 1; i < packets.length; i++) {
    const [before, after] = [packets[i - 1], packets[i]];
    const steps = (after.sequence - before.sequence) & 0xffff;
    if (after.ssrc !== before.ssrc) found.push(`packet ${i}: another SSRC`);
    else if (steps !== 1) found.push(`packet ${i}: sequence number ${before.sequence} then ${after.sequence}`);
    else if (((after.timestamp - before.timestamp - before.payload.length) >>> 0) > CHANGE) {
      found.push(`packet ${i}: timestamp ${before.timestamp} then ${after.timestamp} after ${before.payload.length} samples`);
    }
  }
  return found;
}

/** The listeners of a story's calls, closed together. */
export class Listeners {
  #open = [];

  async listener() {
    const audio = await CallerAudio.open();
    this.#open.push(audio);
    return audio;
  }

  close() {
    for (const audio of this.#open) audio.close();
  }
}
