/** What a server was sent, one by one, in the order it came. */
export class Inbox {
  #server;
  #kept = [];
  #waiting = [];

  listen(server) {
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => resolve(this));
    });
  }

  get port() {
    return this.#server.address().port;
  }

  keep(message) {
    const taker = this.#waiting.shift();
    if (taker) taker(message);
    else this.#kept.push(message);
  }

  /** The oldest that was not taken yet, or the next to come. */
  next() {
    if (this.#kept.length > 0) return Promise.resolve(this.#kept.shift());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close() {
    this.#server.close();
  }
}
