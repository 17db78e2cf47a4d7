import type { Ask, ChosenState, Me, MobileSwitchesForm, ToWorkstation } from '../generated/wire'
import { t, translated } from '../i18n'
import type { Network } from '../state/network'
import { backFromMobile, byPhone, isInternal, isOnline, justFailed, liveSession, microphoneOpen, needsSound, peerState, rings } from '../state/select'
import { matchSound } from '../state/sound'
import type { Picker, SoundPlace, State } from '../state/state'
import type { Store } from '../state/store'
import { browserPeers } from './browserPeer'
import { chosenDevices, deviceOf, onChoice, onDevices, present } from './devices'
import { Drafts } from './drafts'
import { failure } from './failure'
import { Headset } from './headset'
import { ApiFailure, api } from './http'
import { isNarrow, lineMeasured } from './line'
import { whyNoMicrophone } from './microphone'
import { Notifier } from './notify'
import { PeerKeeper } from './peer'
import { Remarks } from './remarks'
import { SwitchSocket, browserSurroundings, type Outcome } from './socket'
import { Sound } from './sound'
import { Tabs } from './tabs'

const HELD_TICK = 60_000
const TOAST_FOR = 6000
const ECHO_TIMEOUT = 8000
const SECOND_LOOK = 300
const PATH_KNOWN = 5000

/** The workstation's services joined: what the agent does goes to the switch, what the switch tells moves sound, ring and notifications. */
export class Workstation {
  readonly sound: Sound
  private readonly socket: SwitchSocket
  private readonly peer: PeerKeeper
  private readonly headset: Headset
  private readonly tabs: Tabs
  private readonly notifier = new Notifier()
  private readonly remarks: Remarks
  private readonly dispositions: Remarks
  private stopRing: (() => void) | null = null
  private heldTimer: unknown = null
  private toasts = 0
  /** Whose workstation this was, for the login page. */
  private email = ''
  /** The agent asked for the log-out. */
  private leaving = false
  private echoed: ((sdp: string | null) => void) | null = null

  constructor(
    private readonly store: Store,
    /** Hears that the login is over: by the agent's wish, or not. */
    private readonly onLoggedOut: (why: 'wanted' | 'ended' | 'takenOver', email: string) => void,
  ) {
    this.sound = new Sound(locked => store.dispatch({ type: 'audioLocked', locked }))
    this.tabs = new Tabs(() => this.giveSound())
    this.headset = new Headset({
      microphones: () => present('audioinput'),
      change: () => this.peer.changeMicrophone(),
      standsIn: devices => store.dispatch({ type: 'standIn', devices }),
    })
    const wanted = () => (this.headset.wanted ? this.headset.wanted.id : null)
    this.peer = new PeerKeeper(
      browserPeers(stream => this.sound.play(stream), wanted),
      {
        open: async sdp => (await this.ask({ type: 'openPeer', sdp, narrow: isNarrow() })).is === 'done',
        // The first to notice that the network is back.
        up: up => up && this.socket.hurry(),
        silent: () => this.socket.probe(),
        microphone: stream => {
          store.dispatch({ type: 'microphone', is: 'ready' })
          this.sound.listen(stream)
          const track = stream.getAudioTracks()[0]
          this.headset.holds(track ? deviceOf(track) : null)
        },
        unplugged: () => this.headset.ended(),
        noMicrophone: error => {
          store.dispatch({ type: 'microphone', is: whyNoMicrophone(error) })
          this.sound.listen(null)
          this.headset.holds(null)
        },
      },
    )
    this.socket = new SwitchSocket(browserSurroundings(), {
      told: tell => this.told(tell),
      asked: (id, ask) => store.dispatch({ type: 'asked', id, ask }),
      connecting: () => store.dispatch({ type: 'connecting' }),
      lost: () => this.lost(),
      roundTrip: milliseconds => store.dispatch({ type: 'roundTrip', milliseconds }),
      refused: () => this.refused(),
    })
    const after = (milliseconds: number, act: () => void) => setTimeout(act, milliseconds)
    const cancel = (timer: unknown) => clearTimeout(timer as number | undefined)
    this.remarks = new Remarks(store, (call, text) => this.ask({ type: 'remark', call, text }), after, cancel)
    this.dispositions = new Remarks(store, (call, name) => this.ask({ type: 'disposition', call, name }), after, cancel, 'disposition')
    new Drafts(store)
    store.subscribe((state, before) => this.changed(state, before))
    window.addEventListener('online', () => {
      this.socket.hurry()
      this.socket.probe()
      if (this.peer.alive) this.peer.renew()
    })
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) void this.remarks.flush()
      else {
        this.socket.hurry()
        this.socket.probe()
      }
    })
    onDevices(() => void this.headset.changed())
    this.routeSound()
    onChoice(use => (use === 'microphone' ? void this.headset.chosen() : this.routeSound()))
    // Any touch of the page frees the sound, not only the banner's button.
    const free = () => {
      if (store.get().audioLocked) this.unlock()
    }
    document.addEventListener('click', free)
    document.addEventListener('keydown', free)
    window.addEventListener('pagehide', () => void this.remarks.flush())
  }

  private routeSound() {
    const { speaker, ringer } = chosenDevices()
    this.sound.setOutputs(speaker ? speaker.id : '', ringer ? ringer.id : '')
  }

  /** The switch's answer to a test path's offer (F4); null: there is none. */
  async echo(sdp: string): Promise<string | null> {
    const answered = new Promise<string | null>(resolve => {
      this.echoed = resolve
      setTimeout(() => resolve(null), ECHO_TIMEOUT)
    })
    const { is } = await this.socket.ask({ type: 'openEcho', sdp })
    return is === 'done' ? answered : null
  }

  /** The agent changed the profile. */
  meChanged(me: Me) {
    this.store.dispatch({ type: 'me', me })
  }

  /** Resolves when the agent has answered the browser's question. */
  askForNotifications(): Promise<void> {
    return this.notifier.ask()
  }

  closeEcho() {
    void this.socket.ask({ type: 'closeEcho' })
  }

  /** There and back over the socket, in milliseconds; null: the socket is away. */
  async ping(): Promise<number | null> {
    const sent = performance.now()
    const { is } = await this.socket.ask({ type: 'ping' })
    return is === 'done' ? performance.now() - sent : null
  }

  start() {
    this.socket.start()
  }

  /** Closes the socket and lets the sound go: logged out, or the login has ended. */
  private end(why: 'wanted' | 'ended' | 'takenOver') {
    this.keepEmail()
    this.socket.stop()
    this.loseSound('nowhere')
    this.quietRing()
    this.leaving = false
    this.store.dispatch({ type: 'loggedOut' })
    this.onLoggedOut(why, this.email)
  }

  private keepEmail() {
    const desk = this.store.get().desk
    if (desk) this.email = desk.me.email
  }

  /** The same page takes the account back (A9). */
  takeBack() {
    this.keepEmail()
    this.store.dispatch({ type: 'loggedOut' })
    this.socket.start()
  }

  retryNow() {
    this.socket.hurry()
  }

  async ask(ask: Ask): Promise<Outcome> {
    let outcome = await this.socket.ask(ask)
    // Who answers on the mobile may still call out by the page, which has had no sound until now (E2).
    if (outcome.is === 'refused' && outcome.code === 'dial_no_voice' && !this.peer.alive && (await this.prepareSound()) && (await this.pathKnown())) {
      outcome = await this.socket.ask(ask)
    }
    if (outcome.is === 'lost' && told(ask)) this.toast(t('error.lost'))
    return outcome
  }

  /** Chooses a state (B1). From offline this goes online: microphone and audio path first, the state last (F7); a phone needs neither (C8). */
  async choose(state: ChosenState, breakReason: string | null = null): Promise<void> {
    const desk = this.store.get().desk
    if (!desk) return
    if (state === 'offline') {
      this.store.dispatch({ type: 'goingOnline', step: 'no' })
      await this.ask({ type: 'setState', state, breakReason: null })
      return
    }
    if (desk.agent.state === 'offline') {
      this.notifier.askOnce()
      if (!byPhone(desk) && !(await this.prepareSound())) return
    }
    await this.ask({ type: 'setState', state, breakReason })
  }

  /** What the bound mobile is used for (C7, E2); the page hears of it as every page of the agent does. */
  async switchMobile(switches: MobileSwitchesForm): Promise<void> {
    // While this click still counts as the agent's.
    void this.sound.unlock()
    try {
      await api.mobileSwitches(switches)
    } catch (error) {
      this.toast(error instanceof ApiFailure ? translated('error', error.code, error.message || t('error.failed')) : t('error.failed'))
    }
  }

  /** After the microphone was refused: the agent has changed the browser's mind, or says so. */
  async tryMicrophone(): Promise<void> {
    this.store.dispatch({ type: 'microphone', is: 'unknown' })
    const desk = this.store.get().desk
    if (desk && desk.agent.state === 'offline') await this.choose('available')
    else await this.peer.bringUp()
  }

  /** The agent does without the microphone: offline, so that no call comes. */
  async forgetMicrophone(): Promise<void> {
    this.store.dispatch({ type: 'microphone', is: 'unknown' })
    this.store.dispatch({ type: 'goingOnline', step: 'no' })
    if (isOnline(this.store.get().desk)) await this.choose('offline')
  }

  /** Brings the sound into this tab (F6). */
  async takeSound(): Promise<void> {
    this.haveSound()
    await this.sound.unlock()
    await this.peer.bringUp()
  }

  /** The agent has read why a request was refused. */
  seen() {
    this.store.dispatch({ type: 'refusalSeen' })
  }

  select(call: string | null) {
    this.store.dispatch({ type: 'selected', call })
  }

  pick(picker: Picker | null) {
    this.store.dispatch({ type: 'picking', picker })
  }

  /** Opens or closes the keypad of the call in progress (D7). */
  keypad(open: boolean) {
    this.store.dispatch({ type: 'keypad', open })
  }

  /** Opens or closes the list of flows for the call in progress (D6). */
  flows(open: boolean) {
    this.store.dispatch({ type: 'flows', open })
  }

  type(call: string, text: string) {
    this.store.dispatch({ type: 'typed', call, text })
  }

  /** What a call was about (D8); empty: nothing. */
  dispose(call: string, name: string) {
    this.store.dispatch({ type: 'disposed', call, name })
  }

  /** What was noted goes before the session does. */
  private flush(call?: string): Promise<unknown> {
    return Promise.all([this.remarks.flush(call), this.dispositions.flush(call)])
  }

  unlock() {
    void this.sound.unlock()
  }

  async completeService(call: string): Promise<void> {
    await this.flush(call)
    await this.ask({ type: 'completeService', call })
  }

  async completeAll(internal: boolean): Promise<void> {
    await this.flush()
    await this.ask({ type: 'completeAll', internal })
  }

  flushRemark(call: string) {
    void this.remarks.flush(call)
  }

  /** In a call it comes about at the call's end, or the call ends too (A9). */
  async logOut(endCall: boolean): Promise<void> {
    await this.flush()
    this.leaving = true
    if (this.store.get().link.is === 'open') await this.ask({ type: 'logOut', endCall })
    else await this.leave()
  }

  private async leave(): Promise<void> {
    try {
      await api.logout()
    } catch (error) {
      if (!(error instanceof ApiFailure) || error.status !== 401) {
        this.toast(error instanceof ApiFailure && error.message ? error.message : t('error.unreachable'))
        return
      }
    }
    this.end('wanted')
  }

  /** A line that was found narrow, or wide again, changes how the voice travels (F4). */
  lineMeasured(network: Network) {
    if (lineMeasured(network)) this.peer.renew()
  }

  toast(text: string) {
    const id = ++this.toasts
    this.store.dispatch({ type: 'toast', id, text })
    setTimeout(() => this.store.dispatch({ type: 'toastGone', id }), TOAST_FOR)
  }

  /** The switch has this page's path too, within a few seconds. */
  private pathKnown(): Promise<boolean> {
    const up = () => peerState(this.store.get()) === 'up'
    return new Promise(resolve => {
      const done = () => {
        stop()
        clearTimeout(timer)
        resolve(up())
      }
      const timer = setTimeout(done, PATH_KNOWN)
      const stop = this.store.subscribe(() => up() && done())
      if (up()) done()
    })
  }

  private async prepareSound(): Promise<boolean> {
    this.store.dispatch({ type: 'goingOnline', step: 'microphone' })
    this.store.dispatch({ type: 'microphone', is: 'asking' })
    void this.sound.unlock()
    this.haveSound()
    const up = await this.peer.bringUp()
    const { microphone, goingOnline } = this.store.get()
    if (goingOnline === 'no') {
      // The agent chose to stay offline meanwhile.
      this.loseSound('nowhere')
      return false
    }
    if (up) this.store.dispatch({ type: 'goingOnline', step: 'no' })
    else {
      this.loseSound('nowhere')
      if (microphone === 'asking') this.store.dispatch({ type: 'microphone', is: 'unknown' })
      this.store.dispatch({ type: 'goingOnline', step: microphone === 'ready' ? 'failed' : 'no' })
    }
    return up
  }

  private told(tell: ToWorkstation) {
    const before = this.store.get().desk
    this.store.dispatch({ type: 'told', tell, at: Date.now() })
    const desk = this.store.get().desk
    if (tell.type === 'snapshot') this.peer.socketBack()
    if (tell.type === 'snapshot' || (tell.type === 'agent' && before && desk && backFromMobile(before, desk))) void this.matchSound()
    else if (tell.type === 'echo') {
      if (this.echoed) this.echoed(tell.sdp)
    } else if (tell.type === 'peerAnswer') void this.peer.answer(tell.sdp)
    else if (tell.type === 'peer' && tell.state === 'lost') this.peer.lostAtSwitch()
    else if (tell.type === 'audioOwner') {
      if (!tell.mine && before && before.audioOwner) this.giveSound()
      // The tab that had it was closed: the switch has passed it on to this one.
      if (tell.mine && needsSound(before) && !this.peer.alive) this.takeUp()
    }
    else if (tell.type === 'takenOver') this.loseSound('nowhere')
    else if (tell.type === 'loggedOut') {
      if (this.leaving) void this.leave()
      else this.end('ended')
    }
  }

  /** After a snapshot: the page's sound and the switch's idea of it are brought together. */
  private async matchSound(): Promise<void> {
    const snapshot = this.store.get().desk
    if (!snapshot) return
    // The switch, which looks several times a second, may not have noticed yet that the path is back.
    if (this.peer.alive && snapshot.peer === 'lost') await new Promise(resolve => setTimeout(resolve, SECOND_LOOK))
    const elsewhere = needsSound(snapshot) && !snapshot.audioOwner && (await this.tabs.elsewhere())
    const { desk, goingOnline } = this.store.get()
    if (!desk) return
    switch (matchSound({ needed: needsSound(desk), owner: desk.audioOwner, peer: desk.peer, alive: this.peer.alive, elsewhere })) {
      case 'keep':
        return this.haveSound()
      case 'renew':
      case 'bringUp':
        return this.takeUp()
      case 'give':
        return this.giveSound()
      case 'shut':
        // A page on its way online has its path before its state.
        if (goingOnline === 'no') this.loseSound('nowhere')
    }
  }

  private takeUp() {
    this.haveSound()
    if (this.peer.alive) this.peer.renew()
    else void this.peer.bringUp()
  }

  /** From now on other tabs that ask hear that it is here. */
  private haveSound() {
    this.tabs.take()
    this.store.dispatch({ type: 'sound', is: 'here' })
  }

  /** Another tab has the sound now. */
  private giveSound() {
    this.loseSound(isOnline(this.store.get().desk) ? 'elsewhere' : 'nowhere')
  }

  private loseSound(to: SoundPlace) {
    this.tabs.give()
    this.peer.shut()
    this.sound.listen(null)
    this.headset.holds(null)
    this.store.dispatch({ type: 'sound', is: to })
  }

  private lost() {
    this.peer.socketLost()
    this.store.dispatch({ type: 'lost', at: Date.now() })
    this.store.dispatch({ type: 'unanswered' })
  }

  /** The switch would not open the socket: has the login ended, or is it just away? */
  private async refused(): Promise<boolean> {
    try {
      await api.me()
    } catch (error) {
      if (error instanceof ApiFailure && error.status === 401) {
        this.end(error.code === 'taken_over' ? 'takenOver' : 'ended')
        return false
      }
    }
    return true
  }

  private changed(state: State, before: State) {
    this.peer.setMicrophoneOpen(microphoneOpen(state.desk))
    this.ringWhile(rings(state))
    const offer = state.desk ? state.desk.offer : null
    const old = before.desk ? before.desk.offer : null
    if ((offer ? offer.offer : null) !== (old ? old.offer : null)) {
      if (offer && state.desk && state.desk.audioOwner) {
        const caller = offer.callerName || offer.caller
        const body = isInternal(offer) ? t('offer.internal') : t('offer.notification.body', { group: offer.group, called: offer.called })
        this.notifier.show(t('offer.notification', { caller }), body)
      } else this.notifier.close()
    }
    if (before.desk && isOnline(before.desk) && state.desk && !isOnline(state.desk) && state.link.is === 'open') {
      this.loseSound('nowhere')
    }
    if (before.link.is === 'open' && state.link.is === 'lost' && isOnline(state.desk)) this.sound.pair(false)
    if (before.link.is === 'lost' && state.link.is === 'open' && isOnline(state.desk)) this.sound.pair(true)
    this.remindOfHold(state)
    this.tellFailure(state, before)
  }

  /** A call out came to nothing: also told where the agent looks at something else (E5). */
  private tellFailure(state: State, before: State) {
    const failed = state.desk && before.desk && state.desk !== before.desk ? justFailed(before.desk, state.desk) : null
    if (failed && failed.outcome && failed.outcome !== 'caller_cancelled') {
      this.toast(`${failed.callerName || failed.caller}: ${failure(failed) || translated('status', failed.outcome, failed.outcome)}`)
    }
  }

  private ringWhile(on: boolean) {
    if (on && !this.stopRing) this.stopRing = this.sound.ring()
    if (!on) this.quietRing()
  }

  private quietRing() {
    if (this.stopRing) this.stopRing()
    this.stopRing = null
  }

  /** One quiet tick for each minute on hold. */
  private remindOfHold(state: State) {
    const live = state.desk ? liveSession(state.desk) : null
    const held = live !== null && live.held
    if (held && this.heldTimer === null) this.heldTimer = setInterval(() => this.sound.tick(), HELD_TICK)
    if (!held && this.heldTimer !== null) {
      clearInterval(this.heldTimer as number)
      this.heldTimer = null
    }
  }
}

/** Requests whose loss the agent should hear of; the others are repeated by the page. */
function told(ask: Ask): boolean {
  return ask.type !== 'remark' && ask.type !== 'disposition' && ask.type !== 'targets' && ask.type !== 'openPeer' && ask.type !== 'closePeer' && ask.type !== 'ping' && ask.type !== 'openEcho' && ask.type !== 'closeEcho' && ask.type !== 'customer' && ask.type !== 'logOut'
}
