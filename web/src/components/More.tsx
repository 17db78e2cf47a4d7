import type { TargetsView } from '../generated/wire'
import { t } from '../i18n'

/** Ends a list of colleagues that is not whole. */
export function More({ targets }: { targets: TargetsView | null }) {
  if (!targets || targets.more === 0) return null
  return (
    <p class="t2 faint pick__more" role="presentation" data-test="more-targets">
      {t('transfer.more', { count: targets.more })}
    </p>
  )
}
