import type { Device, OfferView } from '../generated/wire'
import { t } from '../i18n'
import { useStation } from '../components/context'
import { Icon } from '../components/Icon'
import { Button, Refused, Ring } from '../components/parts'
import { clockSeconds, spell, useTime } from '../services/clock'
import { keyOf, useKeymap } from '../services/keys'
import { isInternal, isPending } from '../state/select'
import type { State } from '../state/state'

/** The answer bar (C5): number, place, group, waiting time, what is left of the ringing, and the two ways. A phone or mobile is answered there (C7, C8). */
export function AnswerBar({ state, offer, device }: { state: State; offer: OfferView; device: Device }) {
  const station = useStation()
  useKeymap()
  const offset = state.clockOffset
  const seconds = useTime(offset, now => Math.max(0, Math.ceil((offer.ringsUntil - now) / 1000)))
  const total = Math.max(1, (offer.ringsUntil - offer.ringsSince) / 1000)
  const waited = useTime(offset, now => spell(now - offer.waitingSince))
  const name = offer.callerName
  const internal = isInternal(offer)
  return (
    <section
      class={offer.automatic ? 'answer answer--automatic' : 'answer'}
      data-st="line"
      data-test="offer"
      data-automatic={offer.automatic ? 'true' : 'false'}
      aria-label={t('offer.label')}
    >
      <Ring left={(seconds - (seconds > 0 ? 1 : 0)) / total} text={String(seconds)} label={t('offer.seconds', { seconds })} />
      <div class="v v--0">
        {internal ? (
          <span class="t2 med answer__group" data-test="internal-offer">
            {t('offer.internal')}
          </span>
        ) : (
          <span class="t2 med answer__group">
            {offer.group} · <span class="num">{t('offer.waiting', { time: waited })}</span>
          </span>
        )}
        <span class="t6 semi num cut" title={(internal && name) || offer.caller}>
          {internal ? name : offer.caller}
        </span>
        <span class="facts t2">
          {internal ? <span class="num">{offer.caller}</span> : name ? <span>{name}</span> : null}
          {offer.place ? <span>{offer.place}</span> : null}
        </span>
      </div>
      {offer.automatic ? (
        <div class="v v--0 answer__automatic">
          <b class="med">{t('offer.automatic')}</b>
          <span class="t2 dim">{t('offer.automatic.lead')}</span>
        </div>
      ) : (
        <div class="acts">
          <Button size="l" test="decline" busy={isPending(state, 'decline')} onClick={() => void station.ask({ type: 'decline', offer: offer.offer })}>
            {t('offer.decline')}
          </Button>
          {device !== 'browser' ? (
            <b class="med answer__phone" data-test={`answer-on-${device}`}>
              <Icon name="phone" />
              {t(`offer.${device}`)}
            </b>
          ) : (
            <Button size="l" kind="go" icon="phone" test="answer" keys={keyOf('answer')} busy={isPending(state, 'answer')} onClick={() => void station.ask({ type: 'answer', offer: offer.offer })}>
              {t('offer.answer')}
            </Button>
          )}
        </div>
      )}
      <span class="sr" role="alert">
        {t(internal ? 'offer.spoken.internal' : 'offer.spoken', { caller: name || offer.caller, group: offer.group })}
      </span>
    </section>
  )
}

/** A call rings: the answer bar, and how the caller got here. */
export function Ringing({ state, offer, device }: { state: State; offer: OfferView; device: Device }) {
  const waited = useTime(state.clockOffset, now => spell(now - offer.waitingSince))
  const internal = isInternal(offer)
  return (
    <div class="zone task">
      <AnswerBar state={state} offer={offer} device={device} />
      <div class="sheet scroll pathsheet">
        <h1 class="sr">{t('offer.label')}</h1>
        <Refused state={state} of={['answer', 'decline']} />
        <h2 class="t4">{t(internal ? 'offer.path.internal' : 'offer.path')}</h2>
        <ol class="path">
          <li>
            <span class="num">{internal ? t('offer.path.colleague', { name: offer.callerName || offer.caller }) : t('offer.path.dialled', { number: offer.called })}</span>
            <span class="num faint">{clockSeconds(offer.waitingSince)}</span>
          </li>
          {internal ? null : (
            <li>
              <span class="num">{t('offer.path.waited', { group: offer.group, time: waited })}</span>
              <span class="num faint">{clockSeconds(offer.waitingSince)}</span>
            </li>
          )}
          <li class="now">
            <span class="semi">{t(device === 'browser' ? 'offer.path.ringing' : `offer.path.${device}`)}</span>
            <span class="num faint">{clockSeconds(offer.ringsSince)}</span>
          </li>
        </ol>
        {offer.automatic ? null : <p class="faint t2 pathsheet__foot">{t(internal ? 'offer.missed.internal' : 'offer.missed')}</p>}
      </div>
    </div>
  )
}
