import { useEffect, useRef, useState } from 'preact/hooks'
import type { RecordingView, Waveform } from '../generated/wire'
import { t } from '../i18n'
import { api, recordingUrl } from '../services/http'
import { spell } from '../services/clock'
import { onTheme } from '../services/theme'
import { Icon } from './Icon'
import { drawWaveform } from './waveform'

const SPEEDS = [1, 1.5, 2]
const ASK_AGAIN = 2000
const ASK_TIMES = 30

/** A recording that can be played, or the sentence that says why not. */
export function Recording({ recording }: { recording: RecordingView }) {
  switch (recording.state) {
    case 'ready':
    case 'recovered':
      return <Player recording={recording} />
    case 'spooling':
      return <p class="t2 faint">{t('player.spooling')}</p>
    case 'encoding':
      return <p class="t2 faint">{t('player.encoding')}</p>
    case 'expired':
      return <p class="t2 faint">{t('player.expired')}</p>
    default:
      return <p class="t2 faint">{t('player.failed')}</p>
  }
}

/** The recording of a session that has just ended: looked for until it is ready. */
export function SessionRecording({ call }: { call: string }) {
  const [recording, setRecording] = useState<RecordingView | 'none' | null>(null)
  useEffect(() => {
    let current = true
    let timer = 0
    let left = ASK_TIMES
    const look = () => {
      const again = () => {
        if (current && left-- > 0) timer = window.setTimeout(look, ASK_AGAIN)
      }
      api.records({ page: 0 }).then(page => {
        if (!current) return
        const records = page.items.filter(item => item.call === call)
        const found = records.reduce<RecordingView | null>((one, item) => one || item.recording, null)
        setRecording(found || (records.length > 0 ? 'none' : null))
        if (!found || found.state === 'encoding' || found.state === 'spooling') again()
      }, again)
    }
    look()
    return () => {
      current = false
      clearTimeout(timer)
    }
  }, [call])
  return (
    <div class="note__player">
      {recording === null ? (
        <p class="t2 faint">{t('player.encoding')}</p>
      ) : recording === 'none' ? (
        <p class="t2 faint">{t('player.none')}</p>
      ) : (
        <Recording recording={recording} />
      )}
    </div>
  )
}

function Player({ recording }: { recording: RecordingView }) {
  const audio = useRef<HTMLAudioElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const [wave, setWave] = useState<Waveform | null>(null)
  const [playing, setPlaying] = useState(false)
  const [broken, setBroken] = useState(false)
  const [speed, setSpeed] = useState(1)
  const [second, setSecond] = useState(0)
  const length = recording.duration / 1000

  useEffect(() => {
    let current = true
    api.waveform(recording.id).then(
      got => {
        if (current) setWave(got)
      },
      () => undefined,
    )
    return () => {
      current = false
    }
  }, [recording.id])

  useEffect(() => {
    const draw = () => {
      const at = audio.current && length > 0 ? audio.current.currentTime / length : 0
      if (canvas.current) drawWaveform(canvas.current, wave, at)
    }
    draw()
    const stopTheme = onTheme(draw)
    window.addEventListener('resize', draw)
    let frame = 0
    if (playing) {
      const loop = () => {
        draw()
        frame = requestAnimationFrame(loop)
      }
      loop()
    }
    return () => {
      stopTheme()
      window.removeEventListener('resize', draw)
      cancelAnimationFrame(frame)
    }
  }, [wave, playing, second, length])

  const toggle = () => {
    const element = audio.current
    if (!element) return
    if (!element.paused) return element.pause()
    setBroken(false)
    element.playbackRate = speed
    element.play().catch((error: unknown) => {
      if (!(error instanceof DOMException) || error.name !== 'AbortError') setBroken(true)
    })
  }
  const seek = (to: number) => {
    const element = audio.current
    if (!element) return
    element.currentTime = Math.max(0, Math.min(length, to))
    setSecond(Math.floor(element.currentTime))
  }
  const place = spell(second * 1000)
  const whole = spell(recording.duration)
  return (
    <div class="player">
      <audio
        ref={audio}
        src={recordingUrl(recording.id)}
        preload="metadata"
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onEnded={() => setPlaying(false)}
        onError={() => setBroken(true)}
        onTimeUpdate={event => setSecond(Math.floor(event.currentTarget.currentTime))}
      />
      <div class="wave">
        <button type="button" class="play" data-test="play" data-playing={String(playing)} aria-label={playing ? t('player.pause') : t('player.play')} onClick={toggle}>
          <Icon name={playing ? 'pause' : 'play'} />
        </button>
        <canvas
          ref={canvas}
          class="wave__canvas"
          tabIndex={0}
          role="slider"
          aria-label={t('player.seek')}
          aria-valuemin={0}
          aria-valuemax={Math.round(length)}
          aria-valuenow={second}
          aria-valuetext={t('player.at', { at: place, length: whole })}
          onClick={event => {
            const box = event.currentTarget.getBoundingClientRect()
            if (box.width > 0) seek(((event.clientX - box.left) / box.width) * length)
          }}
          onKeyDown={event => {
            if (event.key === 'ArrowRight') seek(second + 5)
            else if (event.key === 'ArrowLeft') seek(second - 5)
            else if (event.key === ' ') toggle()
            else return
            event.preventDefault()
          }}
        />
        <span class="num t2 wave__time">
          <b class="med">{place}</b>
          <br />
          <span class="faint">{whole}</span>
        </span>
      </div>
      <div class="player__foot">
        {broken ? (
          <span class="t2 player__broken" role="alert">
            {t('player.broken')}
          </span>
        ) : (
          <span class="h h--3">
            <span class="key">{t('player.customer')}</span>
            <span class="key key--a">{t('player.agent')}</span>
            {recording.state === 'recovered' ? <span class="t2 faint">{t('player.recovered')}</span> : null}
          </span>
        )}
        <span class="grow" />
        <span class="seg seg--s num" role="group" aria-label={t('player.speed')}>
          {SPEEDS.map(each => (
            <button
              type="button"
              key={each}
              aria-pressed={speed === each ? 'true' : 'false'}
              onClick={() => {
                setSpeed(each)
                if (audio.current) audio.current.playbackRate = each
              }}
            >
              {each}×
            </button>
          ))}
        </span>
        <a class="btn btn--s" href={recordingUrl(recording.id)} download={`${recording.id}.mp3`} aria-label={t('player.download.label')} data-test="download">
          <Icon name="download" size="s" />
          <span>{t('player.download')}</span>
        </a>
      </div>
    </div>
  )
}
