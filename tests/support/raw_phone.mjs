// REGISTER by hand: what no decent phone would send.
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';

const LOOPBACK = '127.0.0.1';
const PATIENCE = 10_000;
const HASHES = { 'SHA-256': 'sha256', MD5: 'md5' };

export class RawPhone {
  #socket;
  #port;
  #user;
  #password;
  #cseq = 0;
  #callId = `raw-${process.pid}-${Math.random()}`;

  /** A phone on UDP, at an address of its own. */
  static async open({ user, password, port, address = LOOPBACK }) {
    const phone = new RawPhone();
    [phone.#user, phone.#password, phone.#port] = [user, password, port];
    phone.#socket = createSocket('udp4');
    await new Promise((resolve) => phone.#socket.bind(0, address, resolve));
    return phone;
  }

  get contact() {
    return `<sip:${this.#user}@${this.#socket.address().address}:${this.#socket.address().port}>`;
  }

  close() {
    this.#socket.close();
  }

  /** Asks to be challenged: the parameters of the challenge. */
  async challenge() {
    const { status, headers } = await this.send([]);
    if (status !== 401) throw new Error(`no challenge but ${status}`);
    return parameters(headers['www-authenticate']);
  }

  /** The Authorization header that answers it. */
  authorization({ realm, nonce, algorithm }, { count = 1, password = this.#password } = {}) {
    const hash = (text) => createHash(HASHES[algorithm]).update(text).digest('hex');
    const [uri, nc, cnonce] = [`sip:${LOOPBACK}`, count.toString(16).padStart(8, '0'), 'abcdef'];
    const secret = hash(`${this.#user}:${realm}:${password}`);
    const response = hash(`${secret}:${nonce}:${nc}:${cnonce}:auth:${hash(`REGISTER:${uri}`)}`);
    const quoted = { username: this.#user, realm, nonce, uri, cnonce, response };
    const all = [...Object.entries(quoted).map(([name, value]) => `${name}="${value}"`), `algorithm=${algorithm}`, 'qop=auth', `nc=${nc}`];
    return `Authorization: Digest ${all.join(', ')}`;
  }

  /** Registers as a phone does, with these headers more; the answer. */
  async register(...headers) {
    return this.send([...headers, this.authorization(await this.challenge())]);
  }

  /** Sends a REGISTER, and resolves with its answer: status, headers by name in small letters, and the contacts. */
  async send(more) {
    const cseq = ++this.#cseq;
    const branch = `z9hG4bK-${this.#callId}-${cseq}`;
    const address = `sip:${this.#user}@${LOOPBACK}`;
    const lines = [
      `REGISTER sip:${LOOPBACK} SIP/2.0`,
      `Via: SIP/2.0/UDP ${LOOPBACK}:9;branch=${branch};rport`,
      `From: <${address}>;tag=raw`,
      `To: <${address}>`,
      `Call-ID: ${this.#callId}`,
      `CSeq: ${cseq} REGISTER`,
      'Max-Forwards: 70',
      ...more,
      'Content-Length: 0',
    ];
    const answer = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${lines.join('\n')}`)), PATIENCE);
      const hear = (bytes) => {
        const text = `${bytes}`;
        if (!text.includes(branch)) return;
        clearTimeout(timer);
        this.#socket.off('message', hear);
        resolve(read(text));
      };
      this.#socket.on('message', hear);
    });
    this.#socket.send(`${lines.join('\r\n')}\r\n\r\n`, this.#port, LOOPBACK);
    return answer;
  }
}

function read(text) {
  const [start, ...lines] = text.split('\r\n');
  const pairs = lines.filter((line) => line.includes(':')).map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]);
  return {
    status: Number(start.split(' ')[1]),
    headers: Object.fromEntries(pairs),
    contacts: pairs.filter(([name]) => name === 'contact').map(([, value]) => value),
  };
}

const parameters = (challenge) =>
  Object.fromEntries([...challenge.replace(/^Digest /, '').matchAll(/(\w+)=(?:"([^"]*)"|([^,\s]+))/g)].map(([, name, quoted, plain]) => [name, quoted ?? plain]));
