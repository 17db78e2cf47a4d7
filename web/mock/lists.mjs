// The lists of the management page.
const HOUR = 3_600_000

export function blocklist(name, query) {
  const now = Date.now()
  const all = name === 'management-empty' ? [] : [
    ['+447700900118', false, now + 22 * HOUR, 'Shouts at agents', 'Mei Lin', 2],
    ['+447700900631', false, now + 160 * HOUR, '', 'Tom Brandt', 8],
    ['+8850', true, null, 'Calls that ring once, from a numbering block without subscribers', 'Priya Natarajan-Whitworth', 60],
    ['09005550142', false, null, 'Robot', null, 800],
  ].map(([number, prefix, until, note, by, ago], id) => ({ id, number, prefix, until, note, by, at: now - ago * HOUR }))
  const items = all.filter(({ number }) => number.includes(query.get('number') || ''))
  return { items, page: 0, total: items.length, pageSize: 50 }
}

export function outbox(name) {
  if (name === 'management-empty') return []
  const text = code => `Your Cordboard code is ${code}. It is good for 5 minutes. Nobody of ours asks for it.`
  return [
    [0.02, '+447700900162', text(481094)],
    [0.4, '+8613800138000', text(220517)],
    [26, '+447700900155', text(903316)],
  ].map(([ago, mobile, text]) => ({ at: Date.now() - ago * HOUR, mobile, text }))
}
