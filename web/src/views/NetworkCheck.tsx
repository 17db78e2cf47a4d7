import { t } from '../i18n'
import type { Finding } from '../state/findings'
import { bandwidth, NEEDS, type Network } from '../state/network'
import { Check } from './DeviceCheck'

/** Full scale of the meters: a little over what video needs. */
const FULL = 1200

/** The way to the switch in numbers, and what they are good enough for. */
export function NetworkCheck({ network, finding }: { network: Network | null; finding: Finding | undefined }) {
  const path = network ? network.path : null
  const width = network ? bandwidth(network) : null
  return (
    <Check part="network" icon="net" finding={finding} wide>
      <div class="nets">
        <Figure label={t('devices.roundTrip')} value={network && network.roundTrip !== null ? `${Math.round(network.roundTrip)} ms` : null} test="round-trip" />
        <Figure label={t('devices.loss')} value={path ? `${path.loss.toFixed(1)} %` : null} test="loss" />
        <Figure label={t('devices.jitter')} value={path && path.jitter !== null ? `${Math.round(path.jitter)} ms` : null} test="jitter" />
        <dl class="needs" data-test="bandwidth" data-kbits={width === null ? '' : Math.round(width)}>
          <Need label={t('devices.needs.g711')} least={NEEDS.g711} width={width} />
          <Need label={t('devices.needs.opus')} least={NEEDS.opus} width={width} />
          <Need label={t('devices.needs.video')} least={NEEDS.video} width={width} />
        </dl>
      </div>
    </Check>
  )
}

function Figure({ label, value, test }: { label: string; value: string | null; test: string }) {
  return (
    <div class="fig">
      <b class="num" data-test={test}>
        {value || '–'}
      </b>
      <span>{label}</span>
    </div>
  )
}

function Need({ label, least, width }: { label: string; least: number; width: number | null }) {
  const enough = width !== null && width >= least
  return (
    <div class="need">
      <dt class="dim">{label}</dt>
      <dd class="need__meter" aria-hidden="true">
        <progress max={FULL} value={width === null ? 0 : Math.min(FULL, width)} data-st={width === null ? undefined : enough ? 'available' : 'break'} />
      </dd>
      <dd class="num med need__word">{width === null ? '–' : t(enough ? 'devices.enough' : 'devices.short', { kbits: width >= 10_000 ? '> 10 000' : Math.round(width) })}</dd>
    </div>
  )
}
