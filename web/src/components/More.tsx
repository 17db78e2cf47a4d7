import type { TargetsView } from '../generated/wire'
import { t } from '../i18n'
import { isAnswer } from '../state/targets'

/** Below a list of colleagues that is not whole. */
export function More({ id, targets, search }: { id: string; targets: TargetsView | null; search: string }) {
  const more = targets && isAnswer(targets, search) ? targets.more : 0
  return (
    <p class="t2 faint list__more" id={id} role="status" data-test="more-targets">
      {more > 0 ? t('transfer.more', { count: more }) : null}
    </p>
  )
}
