// A mail server that keeps what it is sent (RFC 5321).
import { createServer } from 'node:net';
import { Inbox } from './inbox.mjs';

export class SmtpSink extends Inbox {
  static open() {
    const sink = new SmtpSink();
    return sink.listen(createServer((socket) => sink.#serve(socket)));
  }

  get url() {
    return `smtp://127.0.0.1:${this.port}`;
  }

  #serve(socket) {
    const say = (text) => socket.write(`${text}\r\n`);
    let rest = '';
    let mail = null;
    say('220 test');
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('data', (data) => {
      const lines = (rest + data).split('\r\n');
      rest = lines.pop();
      for (const line of lines) {
        if (mail) {
          if (line !== '.') {
            mail.push(line);
            continue;
          }
          this.keep(plain(mail.join('\n')));
          mail = null;
          say('250 kept');
        } else if (/^DATA/i.test(line)) {
          mail = [];
          say('354 go on');
        } else if (/^QUIT/i.test(line)) {
          socket.end('221 bye\r\n');
        } else {
          say('250 ok');
        }
      }
    });
  }
}

/** Without its quoted-printable escapes (RFC 2045 section 6.7), if it has them. */
function plain(mail) {
  if (!/^Content-Transfer-Encoding: quoted-printable/im.test(mail)) return mail;
  return mail.replace(/=\n/g, '').replace(/=([0-9A-F]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
}
