import { t } from '../i18n'
import type { SessionView } from '../generated/wire'
import { remarkText } from '../state/select'
import type { State } from '../state/state'
import { useStation } from './context'

/** The remark's field: what the agent typed stands, whatever arrives meanwhile (D8). */
export function Remark({ state, session, rows }: { state: State; session: SessionView; rows: number }) {
  const station = useStation()
  const draft = state.drafts[session.call]
  const away = state.link.is !== 'open'
  const hint = !draft ? (session.remark ? 'remark.saved' : 'remark.hint') : away ? 'remark.unsaved' : draft.sending !== null ? 'remark.saving' : 'remark.hint'
  return (
    <div class="field">
      <span class="split">
        <label for="remark">{t('remark.label')}</label>
        <span class="t2 faint" aria-live="polite">
          {t(hint)}
        </span>
      </span>
      <textarea
        id="remark"
        class="in"
        key={session.call}
        rows={rows}
        maxLength={2000}
        data-test="remark"
        placeholder={t('remark.placeholder')}
        value={remarkText(state, session)}
        onInput={event => station.type(session.call, event.currentTarget.value)}
        onBlur={() => station.flushRemark(session.call)}
      />
    </div>
  )
}
