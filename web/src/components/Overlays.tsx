import { t } from '../i18n'
import type { State } from '../state/state'
import { Icon } from './Icon'

/** What has happened elsewhere, bottom right, six seconds. */
export function Toast({ state, close }: { state: State; close(id: number): void }) {
  const toast = state.toast
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toast ? (
        <div class="toast" key={toast.id} data-test="toast">
          <Icon name="info" />
          <span>{toast.text}</span>
          <button type="button" class="btn btn--quiet btn--icon btn--s" aria-label={t('toast.close')} onClick={() => close(toast.id)}>
            <Icon name="x" size="s" />
          </button>
        </div>
      ) : null}
    </div>
  )
}
