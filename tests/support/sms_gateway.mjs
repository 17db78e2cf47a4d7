// An SMS gateway that takes every message over HTTP.
import { createServer } from 'node:http';
import { Inbox } from './inbox.mjs';

export class SmsGateway extends Inbox {
  static open() {
    const gateway = new SmsGateway();
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const part of request) body += part;
      gateway.keep(body);
      response.end('taken');
    });
    return gateway.listen(server);
  }

  get url() {
    return `http://127.0.0.1:${this.port}/send`;
  }

  /** The six digits of the next message. */
  async code() {
    return (await this.next()).match(/\b\d{6}\b/)[0];
  }
}
