import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { t } from '../i18n'
import { talkToCrm } from '../services/crm'
import { crmCall, crmOrigin, fillUrl, placesOf, type CrmCall } from '../state/crm'
import { isInternal, shownSession } from '../state/select'
import type { Desk, State } from '../state/state'
import type { Store } from '../state/store'
import { Card } from './Customer'
import { useStation } from './context'

/** The right zone (F3): the CRM's page about the customer, or the customer's card. */
export function RightZone({ store, state, desk }: { store: Store; state: State; desk: Desk }) {
  const template = desk.settings.crmUrl
  const origin = template ? crmOrigin(template, location.origin) : null
  const [card, setCard] = useState(false)
  if (template === null || origin === null) {
    return (
      <aside class="sheet zone" aria-label={t('customer.label')}>
        <h2 class="zone__head">{t('customer.label')}</h2>
        <Card state={state} desk={desk} />
      </aside>
    )
  }
  return (
    <aside class="sheet zone" aria-label={t('crm.label')}>
      <div class="zone__head">
        <h2 class="sr">{t(card ? 'customer.label' : 'crm.label')}</h2>
        <span class="seg seg--s seg--block" role="group" aria-label={t('crm.shows')}>
          <button type="button" data-test="show-crm" aria-pressed={card ? 'false' : 'true'} onClick={() => setCard(false)}>
            {t('crm.label')}
          </button>
          <button type="button" data-test="show-card" aria-pressed={card ? 'true' : 'false'} onClick={() => setCard(true)}>
            {t('customer.label')}
          </button>
        </span>
      </div>
      {card ? <Card state={state} desk={desk} /> : null}
      <Frame store={store} state={state} desk={desk} template={template} origin={origin} hidden={card} />
    </aside>
  )
}

/** The frame stays as it is while the card is shown, and after a call until the next one: somebody may be writing in it. */
function Frame({ store, state, desk, template, origin, hidden }: { store: Store; state: State; desk: Desk; template: string; origin: string; hidden: boolean }) {
  const station = useStation()
  const last = useRef<CrmCall | null>(null)
  const frame = useRef<HTMLIFrameElement>(null)
  const about = desk.offer || shownSession(state, desk)
  if (about && !isInternal(about)) last.current = crmCall(about, desk)
  const url = fillUrl(template, placesOf(last.current, desk.me.number))
  useLayoutEffect(() => (frame.current ? talkToCrm(store, station, frame.current, origin) : undefined), [store, station, url, origin])
  // A new frame for each address: changing one's address would fill the browser's history.
  return (
    <iframe
      key={url}
      ref={frame}
      class="crm"
      hidden={hidden}
      title={t('crm.label')}
      src={url}
      data-test="crm"
      sandbox="allow-scripts allow-same-origin allow-forms allow-popups allow-downloads allow-modals"
      referrerpolicy="no-referrer"
    />
  )
}
