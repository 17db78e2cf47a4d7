import { t } from '../i18n'
import { Mark } from '../components/Icon'
import { Button } from '../components/parts'

/** Another login took this session over: the page has stopped (A9). */
export function TakenOver({ onBack }: { onBack(): void }) {
  return (
    <main class="waiting" data-test="taken-over">
      <div class="sheet takenover">
        <Mark />
        <h1 class="t5 semi">{t('takenOver.title')}</h1>
        <p class="dim">{t('takenOver.lead')}</p>
        <div class="takenover__act">
          <Button kind="primary" icon="headset" test="continue-here" onClick={onBack}>
            {t('takenOver.button')}
          </Button>
        </div>
      </div>
    </main>
  )
}
