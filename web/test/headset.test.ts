import { beforeEach, describe, expect, it } from 'vitest'
import { chooseDevice, type Device } from '../src/services/devices'
import { Headset } from '../src/services/headset'
import { settled } from './clock'

const usb: Device = { id: 'usb', label: 'USB headset' }
const laptop: Device = { id: 'laptop', label: 'Laptop' }

let plugged: Device[]
let shown: ({ gone: string; used: string } | null)[]
let headset: Headset

beforeEach(() => {
  chooseDevice('microphone', null)
  plugged = [usb, laptop]
  shown = []
  headset = new Headset({
    microphones: () => Promise.resolve(plugged),
    // As the browser does: the wanted one, or any that is there.
    change: () => {
      headset.holds(plugged.find(each => each === headset.wanted) || plugged[0] || null)
      return Promise.resolve()
    },
    standsIn: devices => shown.push(devices),
  })
  headset.holds(usb)
  shown = []
})

/** The browser ends the track, and tells that the devices have changed. */
async function unplug(device: Device) {
  plugged = plugged.filter(each => each !== device)
  headset.ended()
  headset.holds(plugged[0] || null)
  await headset.changed()
}

describe('a headset that is unplugged in a call (F)', () => {
  it('is named with what stands in for it, and taken again when it is back', async () => {
    await unplug(usb)
    expect(shown).toEqual([{ gone: 'USB headset', used: 'Laptop' }])
    plugged = [laptop, usb]
    await headset.changed()
    expect(shown).toEqual([{ gone: 'USB headset', used: 'Laptop' }, null])
  })

  it('is followed even when its track does not end', async () => {
    plugged = [laptop]
    await headset.changed()
    expect(shown).toEqual([{ gone: 'USB headset', used: 'Laptop' }])
  })

  it('leaves the microphone alone when other devices come and go', async () => {
    plugged = [usb]
    await headset.changed()
    plugged = [laptop, usb]
    await headset.changed()
    expect(shown).toEqual([])
  })

  it('is wanted no more when the agent chooses another', async () => {
    await unplug(usb)
    chooseDevice('microphone', laptop)
    await headset.chosen()
    expect(shown[shown.length - 1]).toBeNull()
    plugged = [laptop, usb]
    await headset.changed()
    expect(shown[shown.length - 1]).toBeNull()
  })

  it('is known by its own name when it was the system’s choice', async () => {
    const chosen = (device: Device): Device => ({ id: 'default', label: `Default - ${device.label}` })
    plugged = [chosen(usb), usb, laptop]
    headset.holds(plugged[0] || null)
    await settled()
    // The system chooses another, and the headset stays: nothing is gone.
    plugged = [chosen(laptop), usb, laptop]
    await headset.changed()
    expect(shown).toEqual([null])
    await unplug(usb)
    expect(shown[shown.length - 1]).toEqual({ gone: 'USB headset', used: 'Default - Laptop' })
    plugged = [chosen(laptop), usb, laptop]
    await headset.changed()
    expect(shown[shown.length - 1]).toBeNull()
  })

  it('is forgotten when the agent leaves the choice to the browser', async () => {
    await unplug(usb)
    chooseDevice('microphone', null)
    await headset.chosen()
    plugged = [laptop, usb]
    await headset.changed()
    expect(shown).toEqual([{ gone: 'USB headset', used: 'Laptop' }, null])
  })

  it('that the agent chose is taken when it is plugged in later', async () => {
    chooseDevice('microphone', laptop)
    plugged = [usb]
    await headset.chosen()
    expect(shown).toEqual([{ gone: 'Laptop', used: 'USB headset' }])
    plugged = [usb, laptop]
    await headset.changed()
    expect(shown[shown.length - 1]).toBeNull()
  })
})
