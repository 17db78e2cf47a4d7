import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { BlockedView, BlockFor, BlocklistView } from '../generated/wire'
import { t } from '../i18n'
import { useStation } from '../components/context'
import { failureText } from '../components/failure'
import { Icon } from '../components/Icon'
import { ListPage } from '../components/ListPage'
import { Button } from '../components/parts'
import { dayTime } from '../components/time'
import { api, ApiFailure } from '../services/http'

const DAY = 86_400_000
const TYPING_PAUSE = 300
const spans: BlockFor[] = ['day', 'week', 'good']

/** Callers who are refused (H6), for supervisors and admins. */
export function Blocklist({ tabs }: { tabs: ComponentChildren }) {
  const station = useStation()
  const [search, setSearch] = useState('')
  const [page, setPage] = useState(0)
  const [list, setList] = useState<BlocklistView | null>(null)
  const [failed, setFailed] = useState<string | null>(null)
  const [turn, setTurn] = useState(0)
  const [removing, setRemoving] = useState<number | null>(null)
  useEffect(() => {
    let here = true
    const timer = setTimeout(
      () => {
        api.blocklist({ number: search.replace(/\D/g, ''), page }).then(
          got => {
            if (!here) return
            setList(got)
            setFailed(null)
          },
          (error: unknown) => here && setFailed(failureText(error)),
        )
      },
      list ? TYPING_PAUSE : 0,
    )
    return () => {
      here = false
      clearTimeout(timer)
    }
  }, [search, page, turn])
  const remove = (entry: BlockedView) => {
    setRemoving(null)
    api.unblock(entry.id).then(
      () => {
        station.toast(t('blocklist.removed', { number: title(entry) }))
        setTurn(n => n + 1)
      },
      (error: unknown) => {
        station.toast(failureText(error))
        setTurn(n => n + 1)
      },
    )
  }
  const added = (number: string) => {
    station.toast(t('blocklist.added', { number }))
    setPage(0)
    setSearch('')
    setTurn(n => n + 1)
  }
  const nothing: [string, string] = search ? [t('blocklist.nothing'), t('blocklist.nothing.lead')] : [t('blocklist.none'), t('blocklist.none.lead')]
  const size = list ? list.pageSize : 1
  const more = list !== null && list.total > size
  return (
    <ListPage
      test="blocklist"
      title={t('management.blocklist')}
      tabs={tabs}
      lead={t('blocklist.lead')}
      tools={
        <>
          <Add added={added} />
          <label class="search blocklist__search">
            <span class="sr">{t('blocklist.search')}</span>
            <Icon name="search" />
            <input
              class="in num"
              inputMode="tel"
              data-test="blocklist-search"
              placeholder={t('blocklist.search')}
              value={search}
              onInput={event => {
                setSearch(event.currentTarget.value)
                setPage(0)
              }}
            />
          </label>
        </>
      }
      failed={failed}
      again={() => setTurn(turn + 1)}
      empty={list === null ? null : list.items.length === 0 ? nothing : false}
      foot={
        list && more ? (
          <footer class="page__foot">
            <span class="t2 faint num" aria-live="polite">
              {t('records.range', { from: list.page * size + 1, to: Math.min(list.total, (list.page + 1) * size), total: list.total.toLocaleString('en') })}
            </span>
            <span class="h h--1">
              <button type="button" class="btn btn--quiet btn--icon btn--s" disabled={page === 0} aria-label={t('records.previous')} onClick={() => setPage(page - 1)}>
                <Icon name="left" size="s" />
              </button>
              <button type="button" class="btn btn--quiet btn--icon btn--s" disabled={(page + 1) * size >= list.total} aria-label={t('records.next')} onClick={() => setPage(page + 1)}>
                <Icon name="right" size="s" />
              </button>
            </span>
          </footer>
        ) : null
      }
    >
      <table class="tbl tbl--list">
        <thead>
          <tr>
            <th class="c-number" scope="col">
              {t('blocklist.number')}
            </th>
            <th scope="col">{t('block.reason')}</th>
            <th class="c-until" scope="col">
              {t('blocklist.until')}
            </th>
            <th class="c-by" scope="col">
              {t('blocklist.by')}
            </th>
            <th class="c-time" scope="col" aria-sort="descending">
              {t('blocklist.at')}
            </th>
            <th class="c-act" scope="col">
              <span class="sr">{t('blocklist.remove')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {(list ? list.items : []).map(entry => (
            <tr key={entry.id} data-test="blocklist-row" data-number={entry.number}>
              <td class="num med">{title(entry)}</td>
              <td title={entry.note}>{entry.note || <span class="faint">–</span>}</td>
              <td class="num">{entry.until === null ? t('block.keep.good') : dayTime(entry.until)}</td>
              <td title={entry.by || undefined}>{entry.by || <span class="faint">{t('blocklist.file')}</span>}</td>
              <td class="num">{dayTime(entry.at)}</td>
              <td class="r">
                {removing === entry.id ? (
                  <span class="h h--1 h--end">
                    <Button kind="stop" size="s" test="blocklist-remove-confirm" onClick={() => remove(entry)}>
                      {t('blocklist.remove')}
                    </Button>
                    <Button kind="quiet" size="s" onClick={() => setRemoving(null)}>
                      {t('block.cancel')}
                    </Button>
                  </span>
                ) : (
                  <button type="button" class="btn btn--quiet btn--icon btn--s" data-test="blocklist-remove" aria-label={t('blocklist.remove.it', { number: title(entry) })} onClick={() => setRemoving(entry.id)}>
                    <Icon name="trash" size="s" />
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ListPage>
  )
}

function title(entry: BlockedView): string {
  return entry.prefix ? t('blocklist.prefix.of', { number: entry.number }) : entry.number
}

function Add({ added }: { added(number: string): void }) {
  const [number, setNumber] = useState('')
  const [prefix, setPrefix] = useState(false)
  const [keep, setKeep] = useState<BlockFor>('good')
  const [note, setNote] = useState('')
  const [busy, setBusy] = useState(false)
  const [wrong, setWrong] = useState<string | null>(null)
  const add = () => {
    if (busy) return
    if (!number.trim()) return setWrong(t('error.number_empty'))
    setBusy(true)
    setWrong(null)
    const until = keep === 'good' ? null : Date.now() + (keep === 'day' ? DAY : 7 * DAY)
    api.block({ number, prefix, until, note }).then(
      () => {
        setBusy(false)
        setNumber('')
        setNote('')
        added(number.trim())
      },
      (error: unknown) => {
        setBusy(false)
        setWrong(whyNot(error))
      },
    )
  }
  return (
    <form
      class="blocklist__add"
      noValidate
      onSubmit={event => {
        event.preventDefault()
        add()
      }}
    >
      <label>
        <span class="sr">{t('blocklist.number')}</span>
        <input
          class="in num"
          inputMode="tel"
          autoComplete="off"
          data-test="blocklist-number"
          placeholder={t(prefix ? 'blocklist.prefix' : 'blocklist.number')}
          aria-invalid={wrong ? 'true' : undefined}
          aria-describedby={wrong ? 'blocklist-wrong' : undefined}
          value={number}
          onInput={event => {
            setNumber(event.currentTarget.value)
            setWrong(null)
          }}
        />
      </label>
      <div class="seg" role="group" aria-label={t('blocklist.kind')}>
        <button type="button" data-test="blocklist-exact" aria-pressed={prefix ? 'false' : 'true'} onClick={() => setPrefix(false)}>
          {t('blocklist.exact')}
        </button>
        <button type="button" data-test="blocklist-prefix" aria-pressed={prefix ? 'true' : 'false'} onClick={() => setPrefix(true)}>
          {t('blocklist.prefix')}
        </button>
      </div>
      <label class="sel">
        <span class="sr">{t('block.keep')}</span>
        <select class="in" data-test="blocklist-keep" value={keep} onChange={event => setKeep(spans.filter(span => span === event.currentTarget.value)[0] || 'good')}>
          {spans.map(span => (
            <option key={span} value={span}>
              {t(`block.keep.${span}`)}
            </option>
          ))}
        </select>
        <Icon name="down" />
      </label>
      <label>
        <span class="sr">{t('block.reason')}</span>
        <input class="in" data-test="blocklist-note" maxLength={200} placeholder={t('block.reason')} value={note} onInput={event => setNote(event.currentTarget.value)} />
      </label>
      <button type="submit" class="btn btn--primary" data-test="blocklist-add" aria-busy={busy ? 'true' : undefined}>
        <span>{t('blocklist.add')}</span>
      </button>
      {wrong ? (
        <p class="err" id="blocklist-wrong" role="alert" data-test="blocklist-wrong">
          <Icon name="alert" />
          <span>{wrong}</span>
        </p>
      ) : null}
    </form>
  )
}

/** In the words of this form. */
function whyNot(error: unknown): string {
  if (error instanceof ApiFailure && error.code === 'conflict') return t('blocklist.there')
  return error instanceof ApiFailure && error.code === 'invalid' ? t('error.number_character') : failureText(error)
}
