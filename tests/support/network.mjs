// The network between a browser and the switch: it can fall silent, and give the browser another address. TCP for page and socket, UDP for voices.
import { connect, createServer } from 'node:net';
import { throughTap } from './browser.mjs';
import { UdpTap } from './udp_tap.mjs';

export class Network {
  #switch;
  #voices;
  #server;
  /** Of the connections that work: the browser's end, and the switch's. */
  #ways = new Set();
  /** Both ends of those that died: nobody is told. */
  #dead = [];
  #address = '127.0.0.1';
  #cut = false;

  static async to(theSwitch) {
    const network = new Network();
    network.#switch = theSwitch;
    network.#voices = await UdpTap.open(theSwitch.mediaPort);
    network.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => network.#join(near));
    await new Promise((resolve, reject) => network.#server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return network;
  }

  /** Where the switch's page is, through this network. */
  get url() {
    return `http://127.0.0.1:${this.#server.address().port}/`;
  }

  /** Pages of this browser that are opened from now on send their voices through it too. */
  carry(context) {
    return throughTap(context, this.#switch.mediaPort, this.#voices.port);
  }

  /** Nothing passes any more, and nothing is refused. What is open now, or is opened meanwhile, stays silent for ever. */
  cut() {
    this.#cut = true;
    this.#voices.cut = true;
    this.#bury();
  }

  /** New connections pass. Says when (performance.now). */
  restore() {
    this.#cut = false;
    this.#voices.cut = false;
    return performance.now();
  }

  /** As when a router has forgotten who is who: open connections stay silent for ever, voices come from another address. Says when (performance.now). */
  moveTo(address) {
    this.#address = address;
    this.#voices.moveTo(address);
    this.#bury();
    return performance.now();
  }

  close() {
    this.#voices.close();
    this.#server.close();
    for (const end of [...this.#dead, ...[...this.#ways].flat()]) end.destroy();
  }

  #join(near) {
    near.on('error', () => {});
    if (this.#cut) {
      this.#dead.push(near);
      return;
    }
    const far = connect({ host: '127.0.0.1', port: this.#switch.httpPort, localAddress: this.#address, allowHalfOpen: true });
    const way = [near, far];
    this.#ways.add(way);
    for (const [from, to] of [way, [far, near]]) {
      from.on('error', () => {});
      from.on('close', () => this.#ways.delete(way) && to.destroy());
      from.pipe(to);
    }
  }

  #bury() {
    for (const way of this.#ways) {
      const [near, far] = way;
      near.unpipe(far).pause();
      far.unpipe(near).pause();
      this.#dead.push(near, far);
    }
    this.#ways.clear();
  }
}
