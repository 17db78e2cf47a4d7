import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { SmsOutboxRow } from '../generated/wire'
import { t } from '../i18n'
import { failureText } from '../components/failure'
import { ListPage } from '../components/ListPage'
import { dayTime } from '../components/time'
import { api } from '../services/http'

const REFRESH = 3000

/** Text messages of a switch without an SMS gateway (A4); new ones appear by themselves. */
export function Outbox({ tabs }: { tabs: ComponentChildren }) {
  const [messages, setMessages] = useState<SmsOutboxRow[] | null>(null)
  const [failed, setFailed] = useState<string | null>(null)
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    let timer = 0
    let here = true
    api.smsOutbox().then(
      all => {
        if (!here) return
        setMessages(all)
        setFailed(null)
        timer = window.setTimeout(() => setTurn(n => n + 1), REFRESH)
      },
      (error: unknown) => {
        if (!here) return
        setFailed(failureText(error))
        timer = window.setTimeout(() => setTurn(n => n + 1), REFRESH)
      },
    )
    return () => {
      here = false
      clearTimeout(timer)
    }
  }, [turn])
  return (
    <ListPage
      test="outbox"
      title={t('management.outbox')}
      tabs={tabs}
      lead={t('outbox.lead')}
      failed={failed}
      again={() => setTurn(turn + 1)}
      empty={messages === null ? null : messages.length === 0 ? [t('outbox.none'), t('outbox.none.lead')] : false}
    >
      <table class="tbl tbl--list">
        <thead>
          <tr>
            <th class="c-time" scope="col" aria-sort="descending">
              {t('outbox.time')}
            </th>
            <th class="c-number" scope="col">
              {t('outbox.number')}
            </th>
            <th scope="col">{t('outbox.text')}</th>
          </tr>
        </thead>
        <tbody>
          {(messages || []).map((message, index) => (
            <tr key={`${message.at} ${index}`} data-test="outbox-row">
              <td class="num">{dayTime(message.at)}</td>
              <td class="num">{message.mobile}</td>
              <td title={message.text}>{message.text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ListPage>
  )
}
