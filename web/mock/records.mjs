const groups = [
  { id: 1, name: 'Orders' },
  { id: 2, name: 'Returns and refunds' },
  { id: 3, name: 'Technical help' },
]
const statuses = ['normal_end', 'normal_end', 'abandoned_queue', 'power_off', 'normal_end', 'abandoned_ringing', 'normal_end', 'agent_lost', 'missed', 'interrupted', 'not_permitted', 'no_agent_online']
const tails = ['14', '08', '33', '14', '90', '27', '61', '05', '14', '72', '19', '44']

export function recordPage(query, scene) {
  const now = Date.now()
  const empty = scene === 'records-empty' || query.get('caller') === '000'
  const items = empty
    ? []
    : statuses.map((status, index) => {
        const failed = ['power_off', 'missed', 'not_permitted'].includes(status)
        const outbound = failed || index === 4
        const [theirs, ours] = [`+44 7700 •••• ${tails[index]}`, index % 3 ? '020 7946 0100' : '020 7946 0144']
        const served = status === 'normal_end' || status === 'agent_lost' || status === 'interrupted'
        return {
          id: `r${index}`,
          call: `c-01JD8QX4K${index}`,
          time: now - (index * 47 + 12) * 60000 - (index > 7 ? 86400000 * (index - 7) : 0),
          callType: outbound ? 'outbound' : 'inbound',
          caller: outbound ? ours : theirs,
          contact: outbound ? theirs : ours,
          status,
          hungUpBy: failed ? 'switch' : served ? (index % 2 ? 'customer' : 'agent') : 'customer',
          group: status === 'no_agent_online' ? null : groups[index % 3].name,
          agent: served || failed ? 'Mei Lin' : null,
          duration: 60000 + index * 37000,
          wait: 8000 + index * 3000,
          ring: 4000 + index * 500,
          hold: index % 2 ? 51000 : 0,
          mos: served ? 4.3 - index * 0.1 : null,
          remark: index === 1 ? 'Order 48 2207, leaves Saturday. Courier collects today before 16:00; confirmed by the warehouse.' : '',
          disposition: index === 1 ? 'Order placed' : '',
          flows: index === 1 ? [{ flow: 'Satisfaction survey', finished: true, results: [{ name: 'Rating', value: '5' }, { name: 'Order number', value: '482207' }] }] : index === 4 ? [{ flow: 'Satisfaction survey', finished: false, results: [] }] : [],
          recording: served ? { id: `rec${index}`, state: index === 9 ? 'recovered' : index === 0 ? 'encoding' : 'ready', duration: 51000 + index * 37000 } : null,
        }
      })
  return { items, page: Number(query.get('page') || 0), total: empty ? 0 : 1284, pageSize: 50, groups, dispositions: ['Order placed', 'Question answered', 'Complaint', 'Wrong number'] }
}

/** Two people who take turns. */
export function waveform() {
  const customer = []
  const agent = []
  let seed = 7
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647
  for (let i = 0; i < 400; i++) {
    const turn = Math.sin(i / 17) + Math.sin(i / 41) > 0
    const loud = Math.pow(random(), 2) * 0.9
    customer.push(turn ? loud : random() * 0.03)
    agent.push(turn ? random() * 0.03 : loud)
  }
  return { customer, agent, duration: 88000 }
}

/** A second of silence, as a WAV file. */
export function silence() {
  const samples = 8000
  const file = Buffer.alloc(44 + samples)
  file.write('RIFF', 0)
  file.writeUInt32LE(36 + samples, 4)
  file.write('WAVEfmt ', 8)
  file.writeUInt32LE(16, 16)
  file.writeUInt16LE(1, 20)
  file.writeUInt16LE(1, 22)
  file.writeUInt32LE(8000, 24)
  file.writeUInt32LE(8000, 28)
  file.writeUInt16LE(1, 32)
  file.writeUInt16LE(8, 34)
  file.write('data', 36)
  file.writeUInt32LE(samples, 40)
  file.fill(128, 44)
  return file
}
