// SIPp scenarios of customers, written as what they send and expect. Each request has a branch and a CSeq of its own, so that it can be sent
// again as it was, or too late.

const sdp = (direction, version) => `
v=0
o=carrier 4711 ${version} IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [rtp_port] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
a=${direction}`;

function send(lines, { body = '', retransmit = true } = {}) {
  const type = body ? ['Content-Type: application/sdp'] : [];
  const text = [...lines, ...type, 'Content-Length: [len]'].join('\n');
  return `<send${retransmit ? ' retrans="500"' : ''}><![CDATA[\n${text}\n${body}\n]]></send>`;
}

/** A request of the customer. `to` and `uri` are those of a dialog, once there is one. */
function request(method, number, { inDialog = true, branch = `${method}-${number}`, ...more } = {}) {
  const uri = inDialog ? '[$target]' : 'sip:[did]@[remote_ip]:[remote_port]';
  return send(
    [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-[call_id]-${branch}`,
      'From: "Customer" <sip:[caller]@[local_ip]:[local_port]>;tag=[pid]c[call_number]',
      inDialog ? 'To:[$to]' : 'To: <sip:[did]@[remote_ip]:[remote_port]>',
      'Call-ID: [call_id]',
      `CSeq: ${number} ${method}`,
      'Contact: <sip:[caller]@[local_ip]:[local_port]>',
      'Max-Forwards: 70',
    ],
    more,
  );
}

const actions = (...all) => (all.length ? `<action>${all.join('')}</action>` : '');
const keep = (regexp, header, name, more = '') => `<ereg regexp="${regexp}" search_in="hdr" header="${header}:" assign_to="${name}" ${more}/>`;
const dialog = [keep('.*', 'To', 'to'), keep('sip:[^&gt;;]*', 'Contact', 'target')];
const response = (status, ...act) => `<recv response="${status}">${actions(...act)}</recv>`;
const optional = (status) => `<recv response="${status}" optional="true"/>`;

export const invite = () => request('INVITE', 1, { inDialog: false, body: sdp('sendrecv', 1) }) + optional(100);
/** Early media: the dialog is known from now on. */
export const early = () => optional(180) + response(183, ...dialog);
export const answered = () => optional(180) + optional(183) + response(200, ...dialog);
/** The ACK of an INVITE's 200; `offered` by the switch, it brings the answer. */
export const ack = (number = 1, { offered = false } = {}) =>
  request('ACK', number, { retransmit: false, body: offered ? sdp('sendrecv', number) : '' });
/** The ACK of an INVITE's refusal belongs to its transaction. */
const ackRefusal = (number) => request('ACK', number, { retransmit: false, branch: `INVITE-${number}` });
export const cancel = () =>
  request('CANCEL', 1, { inDialog: false, branch: 'INVITE-1' }) + response(200) + response(487, keep('.*', 'To', 'to')) +
  request('ACK', 1, { inDialog: false, retransmit: false, branch: 'INVITE-1' }).replace('To: <sip:[did]@[remote_ip]:[remote_port]>', 'To:[$to]');

/** The first INVITE is refused, and nothing but 100 came before. */
export const turnedAway = (status) =>
  response(status, keep('.*', 'To', 'to')) +
  request('ACK', 1, { inDialog: false, retransmit: false, branch: 'INVITE-1' }).replace('To: <sip:[did]@[remote_ip]:[remote_port]>', 'To:[$to]');

/** Another INVITE in the dialog; `direction` none: without a description. */
export const change = (number, direction) => request('INVITE', number, { body: direction ? sdp(direction, number) : '' });
/** The switch takes the change and says that direction. */
export const taken = (number, direction, { offered = false } = {}) =>
  optional(100) + response(200, `<ereg regexp="a=${direction}" search_in="body" check_it="true" assign_to="checked"/>`) + ack(number, { offered });
/** The switch takes the change; its ACK is still to come. */
export const pending = () => optional(100) + response(200);
/** The switch refuses the change; `header` must be there. */
export const refused = (number, status, header) =>
  optional(100) + response(status, ...(header ? [keep('.+', header, 'checked', 'check_it="true"')] : [])) + ackRefusal(number);

export const bye = (number = 90) => request('BYE', number) + response(200);
/** As when the answer was lost: the same twice. */
export const byeTwice = () => request('BYE', 90, { retransmit: false }) + bye() + pause(200);
export const pause = (milliseconds) => `<pause milliseconds="${milliseconds}"/>`;
/** Waits for an INFO of the test. */
export const cue = () => optional(180) + optional(183) + '<recv request="INFO"/>';
/** Prints a word for the test. */
export const say = (word) => `<nop><action><exec command="echo '${word}'"/></action></nop>`;
/** The switch hangs up. */
export const hungUp = ({ silent = false } = {}) =>
  '<recv request="BYE"/>' +
  (silent ? '' : send(['SIP/2.0 200 OK', '[last_Via:]', '[last_From:]', '[last_To:]', '[last_Call-ID:]', '[last_CSeq:]'], { retransmit: false }));

/** The text of a scenario. */
export function scenario(...steps) {
  const text = steps.join('\n');
  // SIPp takes a variable that nobody reads for a mistake.
  const variables = ['to', 'target', 'checked'].filter((name) => text.includes(`assign_to="${name}"`));
  return `<?xml version="1.0" encoding="ISO-8859-1" ?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="customer">
${text}
${variables.length ? `<Reference variables="${variables}"/>` : ''}
</scenario>
`;
}
