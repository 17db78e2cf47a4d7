import { microphoneMoves, realOf, same, standIn } from '../state/headset'
import { chosenDevices, type Device } from './devices'

/** What the headset's watch needs of the page. */
export interface HeadsetSurroundings {
  microphones(): Promise<Device[]>
  /** Takes the microphone anew and puts it in the present one's place; the path stays as it is. */
  change(): Promise<void>
  /** What stands in for the wanted microphone; null: nothing does. */
  standsIn(devices: { gone: string; used: string } | null): void
}

/** Follows the headset while a microphone is held: goes on with another when it is unplugged, and comes back to it. */
export class Headset {
  private held: Device | null = null
  /** Used until it went, while the agent has chosen none. */
  private lost: Device | null = null

  constructor(private readonly around: HeadsetSurroundings) {}

  /** Which microphone to ask the browser for. */
  get wanted(): Device | null {
    return chosenDevices().microphone || this.lost
  }

  /** The page has this microphone now; null: none. */
  holds(device: Device | null) {
    this.held = device
    if (device === null || (this.lost && same(this.lost, device))) this.lost = null
    this.around.standsIn(device ? standIn(device, this.wanted) : null)
    // By its own name it is known again though the system's choice changes meanwhile.
    if (device) void this.around.microphones().then(present => this.held === device && (this.held = realOf(device, present)))
  }

  /** The microphone in use has ended by itself: it was unplugged. */
  ended() {
    if (this.held && !this.lost) this.lost = this.held
  }

  /** The agent chose another microphone. */
  async chosen(): Promise<void> {
    this.lost = null
    if (this.held) await this.around.change()
  }

  /** Devices came or went. */
  async changed(): Promise<void> {
    const present = await this.around.microphones()
    const held = this.held
    // With none left the call goes on without, as the end of its track tells.
    if (!held || present.length === 0 || !microphoneMoves(held, this.wanted, present)) return
    if (!present.some(each => same(each, held))) this.ended()
    await this.around.change()
  }
}
