import { t } from '../i18n'
import { useStation } from '../components/context'
import { Button } from '../components/parts'

/** Why there is no microphone, and how to get it (F7). */
export function NoMicrophone({ why }: { why: 'blocked' | 'missing' | 'insecure' }) {
  const station = useStation()
  return (
    <div class="sheet zone task" data-test="no-microphone" data-why={why}>
      <div class="empty empty--task">
        <svg class="art" viewBox="0 0 96 64" aria-hidden="true">
          <rect x="40" y="6" width="16" height="30" rx="8" />
          <path d="M30 28a18 18 0 0 0 36 0M48 46v10M40 56h16M24 8l48 48" />
        </svg>
        <h1 class="t5 semi">{t(`microphone.${why}`)}</h1>
        <p>{t('microphone.blocked.lead')}</p>
        <ol class="steps">
          <li>
            <span class="badge badge--count">1</span>
            <span>{t(`microphone.${why}.1`)}</span>
          </li>
          <li>
            <span class="badge badge--count">2</span>
            <span>{t(`microphone.${why}.2`)}</span>
          </li>
        </ol>
        <div class="h">
          <Button kind="primary" icon="mic" test="try-microphone" onClick={() => void station.tryMicrophone()}>
            {t('microphone.again')}
          </Button>
          <Button onClick={() => void station.forgetMicrophone()}>{t('microphone.later')}</Button>
        </div>
      </div>
    </div>
  )
}
