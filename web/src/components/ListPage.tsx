import type { ComponentChildren } from 'preact'
import { t } from '../i18n'
import { Button } from './parts'

interface Props {
  test: string
  title: string
  /** Ways to the other lists, beside the title. */
  tabs: ComponentChildren
  lead: string
  /** What stands between the head and the list. */
  tools?: ComponentChildren
  /** Why it could not be read. */
  failed: string | null
  again(): void
  /** Null: not read yet; a title and a sentence: there is nothing; false: there is something. */
  empty: [string, string] | null | false
  foot?: ComponentChildren
  children: ComponentChildren
}

/** A page with one list: its head, and the list, why there is none, or why it could not be read. */
export function ListPage({ test, title, tabs, lead, tools, failed, again, empty, foot, children }: Props) {
  return (
    <main class="sheet page" data-test={test}>
      <header class="page__head">
        <div class="split">
          <h1 class="t5 semi">{title}</h1>
          {tabs}
        </div>
        <p class="dim">{lead}</p>
        {tools}
      </header>
      <div class="scroll page__body">
        {failed !== null ? (
          <ListFailed test="list-failed" title={t('list.failed')} why={failed} retry={t('list.again')} again={again} />
        ) : empty === null ? (
          <p class="sr" role="status">
            {t('app.loading')}
          </p>
        ) : empty ? (
          <div class="empty empty--fill" data-test="list-empty">
            <svg class="art" viewBox="0 0 96 64" aria-hidden="true">
              <path d="M22 14h52M22 26h52M22 38h52M22 50h30" />
            </svg>
            <h2>{empty[0]}</h2>
            <p>{empty[1]}</p>
          </div>
        ) : (
          children
        )}
      </div>
      {foot}
    </main>
  )
}

/** A list that could not be had, in its place. */
export function ListFailed({ test, title, why, retry, again }: { test?: string; title: string; why: string; retry: string; again(): void }) {
  return (
    <div class="empty empty--fill" role="alert" data-test={test}>
      <svg class="art" viewBox="0 0 96 64" aria-hidden="true">
        <path d="M22 14h52M22 26h52M22 38h26M22 50h26M60 38l12 12M72 38L60 50" />
      </svg>
      <h2>{title}</h2>
      <p>{why}</p>
      <div class="empty__act">
        <Button icon="refresh" onClick={again}>
          {retry}
        </Button>
      </div>
    </div>
  )
}
