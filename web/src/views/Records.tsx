import { useEffect, useRef, useState } from 'preact/hooks'
import type { GroupName, RecordFilter, RecordPage, RecordView, RecordingView, Role } from '../generated/wire'
import { t, translated, type Key } from '../i18n'
import { callIcon, Icon } from '../components/Icon'
import { Bars, Button } from '../components/parts'
import { ListFailed } from '../components/ListPage'
import { Recording } from '../components/Player'
import { dayStart, dayTime } from '../components/time'
import { failureText } from '../components/failure'
import { useStation } from '../components/context'
import { api } from '../services/http'
import { spell } from '../services/clock'
import { qualityBars } from '../state/select'
import { FlowOutcome } from './SelfService'

interface Filter {
  from: string
  to: string
  group: string
  status: string
  callType: string
  disposition: string
  caller: string
  contact: string
}

const nothing: Filter = { from: '', to: '', group: '', status: '', callType: '', disposition: '', caller: '', contact: '' }
const statuses = [
  'normal_end',
  'blocklist',
  'agent_transfer',
  'abandoned_ringing',
  'abandoned_queue',
  'no_agent_online',
  'queue_full',
  'queue_timeout',
  'overflow',
  'unknown_number',
  'trunk_full',
  'agent_lost',
  'interrupted',
]
/** Of calls out (G3). */
const outcomes = [
  'missed',
  'rejected',
  'in_call',
  'power_off',
  'empty_number',
  'carrier_exception',
  'caller_cancelled',
  'arrears',
  'out_of_service_area',
  'not_permitted',
]
/** From this width on all fields stand in the row; below it some wait in its details. */
const WIDE = '(min-width: 1680px)'
const TYPING_PAUSE = 300
const READY_CHECK = 2500

/** What to ask the switch for. */
function wanted(filter: Filter): Partial<RecordFilter> {
  const end = dayStart(filter.to, 1)
  return {
    from: dayStart(filter.from),
    to: end === null ? null : end - 1,
    group: filter.group ? Number(filter.group) : null,
    status: filter.status || null,
    callType: filter.callType || null,
    disposition: filter.disposition || null,
    caller: digits(filter.caller),
    contact: digits(filter.contact),
  }
}

/** All that the filter lets through, as a file. */
function Export({ filter }: { filter: Filter }) {
  const station = useStation()
  const [busy, setBusy] = useState(false)
  const take = () => {
    setBusy(true)
    api
      .exportRecords(wanted(filter))
      .then(
        file => save(file, `records-${new Date().toISOString().slice(0, 10)}.csv`),
        (error: unknown) => station.toast(failureText(error)),
      )
      .then(() => setBusy(false))
  }
  return (
    <Button kind="quiet" size="s" icon="download" busy={busy} test="export-records" onClick={take}>
      {t('records.export')}
    </Button>
  )
}

/** As if a link to it had been clicked. */
function save(file: Blob, name: string) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

/** Service records (G1): filters, pages, and the recording of each (G4). */
export function Records({ role }: { role: Role }) {
  const [filter, setFilter] = useState<Filter>(nothing)
  const [page, setPage] = useState(0)
  const [result, setResult] = useState<RecordPage | null>(null)
  const [failed, setFailed] = useState<string | null>(null)
  const [loading, setLoading] = useState(true)
  const [again, setAgain] = useState(0)
  const [open, setOpen] = useState<string | null>(null)
  const groups = useRef<GroupName[]>([])
  const dispositions = useRef<string[]>([])
  /** Nobody asked for this look: nothing shows that it is on its way. */
  const unasked = useRef(false)

  useEffect(() => {
    let current = true
    if (!unasked.current) setLoading(true)
    unasked.current = false
    const timer = setTimeout(
      () => {
        api.records({ ...wanted(filter), page }).then(
          got => {
            if (!current) return
            groups.current = got.groups
            dispositions.current = got.dispositions
            setResult(got)
            setFailed(null)
            setLoading(false)
          },
          (error: unknown) => {
            if (!current) return
            setFailed(failureText(error))
            setLoading(false)
          },
        )
      },
      result ? TYPING_PAUSE : 0,
    )
    return () => {
      current = false
      clearTimeout(timer)
    }
  }, [filter, page, again])

  // A recording that is being made ready appears without a click.
  useEffect(() => {
    if (!result || !result.items.some(item => item.recording !== null && isPending(item.recording))) return
    const timer = setTimeout(() => {
      unasked.current = true
      setAgain(n => n + 1)
    }, READY_CHECK)
    return () => clearTimeout(timer)
  }, [result])

  const change = (part: Partial<Filter>) => {
    setFilter({ ...filter, ...part })
    setPage(0)
    setOpen(null)
  }
  const filtered = (Object.keys(filter) as (keyof Filter)[]).some(key => filter[key] !== '')
  const total = result ? result.total : 0
  return (
    <main class="sheet page" data-test="records">
      <header class="page__head">
        <div class="split">
          <h1 class="t5 semi">
            {t('records.title')} {result ? <span class="faint num page__total">{total.toLocaleString('en')}</span> : null}
          </h1>
          <span class="grow" />
          {role === 'agent' ? null : <Export filter={filter} />}
          <Button kind="quiet" size="s" icon="refresh" busy={loading} onClick={() => setAgain(again + 1)}>
            {t('records.refresh')}
          </Button>
        </div>
        <div class="filters" role="search">
          <label class="datefield">
            <span>{t('records.from')}</span>
            <input class="in num" type="date" value={filter.from} max={filter.to || undefined} data-test="filter-from" onInput={event => change({ from: event.currentTarget.value })} />
          </label>
          <label class="datefield">
            <span>{t('records.to')}</span>
            <input class="in num" type="date" value={filter.to} min={filter.from || undefined} data-test="filter-to" onInput={event => change({ to: event.currentTarget.value })} />
          </label>
          <Choice label={t('records.group')} test="filter-group" value={filter.group} onChange={group => change({ group })}>
            {[['', t('records.group.all')], ...groups.current.map(group => [String(group.id), group.name])]}
          </Choice>
          <Choice
            label={t('records.type')}
            test="filter-type"
            value={filter.callType}
            onChange={callType => change({ callType, status: callType === 'inbound' && outcomes.indexOf(filter.status) >= 0 ? '' : filter.status })}
          >
            {[['', t('records.type.all')], ['inbound', t('records.type.inbound')], ['outbound', t('records.type.outbound')], ['internal', t('records.type.internal')]]}
          </Choice>
          <Choice label={t('records.status')} test="filter-status" value={filter.status} onChange={status => change({ status })}>
            {[['', t('records.status.all')], ...statuses.concat(filter.callType === 'inbound' ? [] : outcomes).map(status => [status, translated('status', status, status)])]}
          </Choice>
          {dispositions.current.length > 0 ? (
            <Choice label={t('records.disposition')} test="filter-disposition" value={filter.disposition} onChange={disposition => change({ disposition })}>
              {[['', t('records.disposition.all')], ...dispositions.current.map(name => [name, name])]}
            </Choice>
          ) : null}
          <Search label={t('records.caller')} test="filter-caller" value={filter.caller} onInput={caller => change({ caller })} />
          <Search label={t('records.contact')} test="filter-contact" value={filter.contact} onInput={contact => change({ contact })} />
          {filtered ? (
            <Button kind="quiet" size="s" onClick={() => change(nothing)}>
              {t('records.clear')}
            </Button>
          ) : null}
        </div>
      </header>
      <div class="scroll page__body" aria-busy={loading ? 'true' : 'false'}>
        {failed !== null ? (
          <ListFailed title={t('records.failed')} why={failed} retry={t('records.again')} again={() => setAgain(again + 1)} />
        ) : result === null ? (
          <p class="sr" role="status">
            {t('records.loading')}
          </p>
        ) : result.items.length === 0 ? (
          <div class="empty empty--fill">
            <svg class="art" viewBox="0 0 96 64" aria-hidden="true">
              <path d="M22 14h52M22 26h52M22 38h52M22 50h30" />
            </svg>
            <h2>{t(filtered ? 'records.nothing' : 'records.none')}</h2>
            <p>{t(filtered ? 'records.nothing.lead' : 'records.none.lead')}</p>
          </div>
        ) : (
          <Table items={result.items} open={open} setOpen={setOpen} />
        )}
      </div>
      {result && result.items.length > 0 && failed === null ? (
        <footer class="page__foot">
          <span class="t2 faint num" aria-live="polite">
            {t('records.range', {
              from: result.page * result.pageSize + 1,
              to: Math.min(result.total, (result.page + 1) * result.pageSize),
              total: total.toLocaleString('en'),
            })}
          </span>
          <span class="h h--1">
            <Turn icon="left" label="records.previous" disabled={page === 0} onClick={() => setPage(page - 1)} />
            <Turn icon="right" label="records.next" disabled={(page + 1) * result.pageSize >= result.total} onClick={() => setPage(page + 1)} />
          </span>
        </footer>
      ) : null}
    </main>
  )
}

function isPending(recording: RecordingView): boolean {
  return recording.state === 'spooling' || recording.state === 'encoding'
}

function digits(text: string): string | null {
  const only = text.replace(/\D/g, '')
  return only || null
}

function Turn({ icon, label, disabled, onClick }: { icon: 'left' | 'right'; label: Key; disabled: boolean; onClick(): void }) {
  return (
    <button type="button" class="btn btn--quiet btn--icon btn--s" disabled={disabled} aria-label={t(label)} onClick={onClick}>
      <Icon name={icon} size="s" />
    </button>
  )
}

function Choice({ label, test, value, onChange, children }: { label: string; test: string; value: string; onChange(value: string): void; children: (string | undefined)[][] }) {
  return (
    <label class="sel">
      <span class="sr">{label}</span>
      <select class={value ? 'in in--set' : 'in'} data-test={test} value={value} onChange={event => onChange(event.currentTarget.value)}>
        {children.map(([id, name]) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <Icon name="down" />
    </label>
  )
}

function Search({ label, test, value, onInput }: { label: string; test: string; value: string; onInput(value: string): void }) {
  return (
    <label class="search">
      <span class="sr">{label}</span>
      <Icon name="search" />
      <input class="in num" inputMode="tel" data-test={test} placeholder={label} value={value} onInput={event => onInput(event.currentTarget.value)} />
    </label>
  )
}

function useWide(): boolean {
  const [wide, setWide] = useState(window.matchMedia(WIDE).matches)
  useEffect(() => {
    const query = window.matchMedia(WIDE)
    const read = () => setWide(query.matches)
    query.addEventListener('change', read)
    return () => query.removeEventListener('change', read)
  }, [])
  return wide
}

function Table({ items, open, setOpen }: { items: RecordView[]; open: string | null; setOpen(id: string | null): void }) {
  const wide = useWide()
  const all: [Key, string][] = [
    ['records.time', 'c-time'],
    ['records.type', 'c-type'],
    ['records.callerColumn', 'c-caller'],
    ['records.contactColumn', 'c-contact'],
    ['records.status', 'c-status'],
    ['records.group', ''],
    ['records.agent', ''],
    ['records.duration', 'c-duration r'],
    ['records.wait', 'wide r'],
    ['records.ring', 'wide r'],
    ['records.hold', 'wide r'],
    ['records.by', 'wide wide--by'],
    ['records.remark', 'wide wide--remark'],
    ['records.recording', 'c-recording r'],
  ]
  const heads = all.filter(([, look]) => wide || look.indexOf('wide') < 0)
  return (
    <table class="tbl tbl--records">
      <thead>
        <tr>
          <th class="c-open">
            <span class="sr">{t('records.details', { time: '' })}</span>
          </th>
          {heads.map(([key, look]) => (
            <th key={key} class={look} scope="col" aria-sort={key === 'records.time' ? 'descending' : undefined}>
              {t(key)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {items.map(record => {
          const is = open === record.id
          return [
            <Row key={record.id} record={record} wide={wide} open={is} toggle={() => setOpen(is ? null : record.id)} />,
            is ? <More key={`${record.id}+`} record={record} columns={heads.length + 1} /> : null,
          ]
        })}
      </tbody>
    </table>
  )
}

const warned = ['abandoned_ringing', 'abandoned_queue', 'no_agent_online', 'queue_full', 'queue_timeout', 'agent_lost', 'interrupted', 'trunk_full', 'carrier_exception', 'not_permitted']

function Row({ record, wide, open, toggle }: { record: RecordView; wide: boolean; open: boolean; toggle(): void }) {
  const time = dayTime(record.time)
  const { callType } = record
  const playable = record.recording !== null && (record.recording.state === 'ready' || record.recording.state === 'recovered')
  return (
    <tr class={open ? 'is-open' : undefined} data-test="record-row" data-call={record.call} data-type={record.callType} data-status={record.status} onClick={toggle}>
      <td>
        <button
          type="button"
          class="btn btn--quiet btn--icon btn--s"
          aria-expanded={open ? 'true' : 'false'}
          aria-label={t('records.details', { time })}
          onClick={event => {
            event.stopPropagation()
            toggle()
          }}
        >
          <Icon name={open ? 'down' : 'right'} size="s" />
        </button>
      </td>
      <td class="num">{time}</td>
      <td>
        <span class="dir">
          <Icon name={callIcon(callType)} size="s" />
          <span>{translated('records.type', callType, callType)}</span>
        </span>
      </td>
      <td class={callType === 'outbound' ? 'num faint' : 'num med'} title={record.caller}>
        {record.caller}
      </td>
      <td class={callType === 'inbound' ? 'num faint' : 'num med'} title={record.contact}>
        {record.contact}
      </td>
      <td>
        {warned.indexOf(record.status) >= 0 ? (
          <span class="dir dir--warn">
            <Icon name="alert" size="s" />
            <span class="cut">{translated('status', record.status, record.status)}</span>
          </span>
        ) : (
          translated('status', record.status, record.status)
        )}
      </td>
      <td title={record.group || undefined}>{record.group || <span class="faint">–</span>}</td>
      <td title={record.agent || undefined}>{record.agent || <span class="faint">–</span>}</td>
      <td class="num r">{spell(record.duration)}</td>
      {wide ? (
        <>
          <td class="num r">{spell(record.wait)}</td>
          <td class="num r">{spell(record.ring)}</td>
          <td class="num r">{spell(record.hold)}</td>
          <td>{record.hungUpBy ? translated('by', record.hungUpBy, record.hungUpBy) : <span class="faint">–</span>}</td>
          <td title={record.remark || undefined}>{record.remark || <span class="faint">–</span>}</td>
        </>
      ) : null}
      <td class="r">
        {record.recording ? (
          playable ? (
            <span class="dir dir--end num dim">
              <Icon name="play" size="s" />
              {spell(record.recording.duration)}
            </span>
          ) : (
            <span class="faint" title={t(isPending(record.recording) ? 'player.encoding' : 'player.failed')}>
              {isPending(record.recording) ? '…' : '–'}
            </span>
          )
        ) : (
          <span class="faint">–</span>
        )}
      </td>
    </tr>
  )
}

function More({ record, columns }: { record: RecordView; columns: number }) {
  const by = record.hungUpBy
  return (
    <tr class="more">
      <td colSpan={columns}>
        <div class="more__in">
          <div class="v v--3">
            {record.recording ? <Recording recording={record.recording} /> : <p class="t2 faint">{t('player.none')}</p>}
            {record.flows.map((run, index) => (
              <FlowOutcome key={index} flow={run.flow} finished={run.finished} results={run.results} />
            ))}
            {record.disposition ? (
              <div class="v v--0">
                <span class="cap">{t('records.disposition')}</span>
                <p data-test="record-disposition">{record.disposition}</p>
              </div>
            ) : null}
            {record.remark ? (
              <div class="v v--0">
                <span class="cap">{t('records.remark')}</span>
                <p class="more__remark">{record.remark}</p>
              </div>
            ) : null}
          </div>
          <dl class="kv t2">
            <dt>{t('records.wait')}</dt>
            <dd class="num">{spell(record.wait)}</dd>
            <dt>{t('records.ring')}</dt>
            <dd class="num">{spell(record.ring)}</dd>
            <dt>{t('records.hold')}</dt>
            <dd class="num">{spell(record.hold)}</dd>
            <dt>{t('records.by')}</dt>
            <dd>{by ? translated('by', by, by) : '–'}</dd>
            <dt>{t('records.quality')}</dt>
            <dd class="h more__quality">
              {record.mos === null ? (
                '–'
              ) : (
                <>
                  <Bars n={qualityBars(record.mos)} />
                  <span class="num">{t('call.mos', { mos: record.mos.toFixed(1) })}</span>
                </>
              )}
            </dd>
            <dt>{t('records.call')}</dt>
            <dd class="cut mono" title={record.call}>
              {record.call}
            </dd>
          </dl>
        </div>
      </td>
    </tr>
  )
}
