// Headless Chromium with a microphone that says a sentence, and ears.
import { createRequire } from 'node:module';
import { setTimeout } from 'node:timers/promises';
import { newFolder } from './work_folder.mjs';

const { chromium } = createRequire(new URL('../../web/package.json', import.meta.url))('playwright-core');

/** Samples a second of what a page hears. */
export const PAGE_RATE = 16000;

/** What Chromium is started with: it asks nobody and looks nothing up. */
export const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  '--allow-loopback-in-peer-connection',
];

/** The microphone is this WAV file, again and again. */
export const speaking = (microphone) => [
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  `--use-file-for-fake-audio-capture=${microphone}`,
];

/** Opens a browser whose every microphone is this WAV file, again and again; none: it has no microphone, and pages get none. */
export async function openBrowser(microphone) {
  const folder = newFolder('chromium');
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    viewport: { width: 1280, height: 720 },
    locale: 'en-GB',
    ignoreDefaultArgs: ['--mute-audio'],
    args: [...QUIET, ...(microphone ? speaking(microphone) : ['--deny-permission-prompts'])],
  });
  await context.addInitScript(installEars, PAGE_RATE);
  await context.addInitScript(takeVoicesAsTheyAre);
  return Object.assign(context, { folder });
}

/** In the page, before its own scripts: an echo canceller takes a fake microphone, which does not listen before it speaks, for the other side's echo. */
export function takeVoicesAsTheyAre() {
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const take = devices.getUserMedia.bind(devices);
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  devices.getUserMedia = ({ audio, ...rest }) => take({ ...rest, audio: audio && { ...(audio === true ? {} : audio), ...plain } });
}

/** In the page, before its own scripts and in the words of Chromium 70: `__ears` listens to what the page's audio elements play. */
export function installEars(rate) {
  const ears = {};
  const opened = [];
  window.__ears = ears;
  // Only what somebody at the headset would hear: an element that plays a live stream, not muted.
  const playing = () =>
    [...document.querySelectorAll('audio, video'), ...ears.elements].find(
      ({ srcObject, paused, muted, volume }) =>
        srcObject instanceof MediaStream && !paused && !muted && volume > 0 && srcObject.getAudioTracks().some((track) => track.readyState === 'live'),
    );
  ears.playing = playing;
  // Elements that are made but never put into the document play too.
  ears.elements = [];
  const RealAudio = window.Audio;
  window.Audio = function Audio(...args) {
    const element = new RealAudio(...args);
    ears.elements.push(element);
    return element;
  };
  const create = Document.prototype.createElement;
  Document.prototype.createElement = function createElement(name, ...rest) {
    const element = create.call(this, name, ...rest);
    if (`${name}`.toLowerCase() === 'audio') ears.elements.push(element);
    return element;
  };
  // A recorder hears what a page that is busy would miss.
  ears.open = () => {
    const element = playing();
    if (!element) return 0;
    const recorder = new MediaRecorder(element.srcObject);
    const pieces = [];
    recorder.ondataavailable = ({ data }) => pieces.push(data);
    recorder.start();
    return opened.push({ recorder, pieces });
  };
  ears.heard = async (ear) => {
    const { recorder, pieces } = opened[ear - 1];
    if (recorder.state === 'recording') {
      const given = new Promise((resolve) => recorder.addEventListener('dataavailable', resolve, { once: true }));
      recorder.requestData();
      await given;
    }
    const file = await new Response(new Blob(pieces)).arrayBuffer();
    // A file that has only begun holds no sound.
    const sound = await new OfflineAudioContext(1, 1, rate).decodeAudioData(file).catch(() => null);
    if (!sound) return '';
    const samples = Int16Array.from(sound.getChannelData(0), (sample) => Math.max(-1, Math.min(1, sample)) * 32767);
    const bytes = new Uint8Array(samples.buffer);
    let text = '';
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return btoa(text);
  };
}

/** Begins to listen to the page's headset. The ear resolves with all that it gives from here on, once that is as many seconds: samples at PAGE_RATE. */
export async function pageEar(page) {
  const opened = await page.waitForFunction(() => window.__ears.open(), undefined, { timeout: 10_000 });
  const number = await opened.jsonValue();
  return async (seconds) => {
    const deadline = Date.now() + seconds * 3000 + 20_000;
    for (;;) {
      const heard = samplesOf(await page.evaluate((ear) => window.__ears.heard(ear), number));
      const missing = seconds - heard.length / PAGE_RATE;
      if (missing <= 0) return heard;
      if (Date.now() > deadline) throw new Error(`the page gave ${heard.length / PAGE_RATE} s of sound, not ${seconds}`);
      await setTimeout(Math.max(missing, 0.1) * 1000);
    }
  };
}

/** What the page's headset gives during the next seconds. */
export const pageHears = async (page, seconds) => (await pageEar(page))(seconds);

/** From now on it is noted when the page's headset gives sound, by whatever path that comes. */
export function noteSound(page) {
  return page.evaluate(() => {
    const context = new AudioContext();
    const ear = context.createAnalyser();
    const samples = new Float32Array(ear.fftSize);
    let stream;
    let source;
    window.__sounds = [];
    setInterval(() => {
      const { srcObject } = window.__ears.playing() ?? {};
      if (!srcObject) return;
      if (srcObject !== stream) {
        source?.disconnect();
        stream = srcObject;
        source = context.createMediaStreamSource(stream);
        source.connect(ear);
      }
      ear.getFloatTimeDomainData(samples);
      if (samples.some((sample) => Math.abs(sample) > 0.05)) window.__sounds.push(Date.now());
    }, 50);
  });
}

/** Resolves with when (Date.now) the headset first gave sound after that moment. */
export async function soundSince(page, moment, patience = 30_000) {
  const found = await page.waitForFunction((at) => window.__sounds.find((sound) => sound > at), moment, { timeout: patience });
  return found.jsonValue();
}

/** From its next microphone on, the page's agent can be made to hold their tongue, unknown to the page. */
export function tameTongue(page) {
  return page.evaluate(() => {
    if (window.__tongue) return;
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    const context = new AudioContext();
    const tongue = context.createGain();
    window.__tongue = tongue.gain;
    const way = context.createMediaStreamDestination();
    tongue.connect(way);
    let mouth;
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      if (!mouth) {
        mouth = context.createMediaStreamSource(await real(wanted));
        mouth.connect(tongue);
      }
      return way.stream.clone();
    };
  });
}

export function speaks(page, loudly) {
  return page.evaluate((gain) => {
    window.__tongue.value = gain;
  }, loudly ? 1 : 0);
}

/** Sends the page's media to the switch through another port of 127.0.0.1: a UdpTap's. */
export function throughTap(context, switchPort, tapPort) {
  return context.addInitScript(
    ([from, to]) => {
      const real = RTCPeerConnection.prototype.setRemoteDescription;
      RTCPeerConnection.prototype.setRemoteDescription = function setRemoteDescription(description, ...rest) {
        const sdp = description.sdp.replace(new RegExp(`(a=candidate:\\S+ \\d+ udp \\d+ \\S+) ${from} `, 'gi'), `$1 ${to} `);
        return real.call(this, { type: description.type, sdp }, ...rest);
      };
    },
    [switchPort, tapPort],
  );
}

/** The two channels of a sound file as the page's own player decodes it: samples at `rate`. */
export async function decodeInPage(page, url, rate) {
  const channels = await page.evaluate(
    async ([address, wanted]) => {
      const response = await fetch(address);
      if (!response.ok) throw new Error(`${address}: ${response.status}`);
      const sound = await new OfflineAudioContext(1, 1, wanted).decodeAudioData(await response.arrayBuffer());
      return Array.from({ length: sound.numberOfChannels }, (_, channel) => {
        const bytes = new Uint8Array(Int16Array.from(sound.getChannelData(channel), (sample) => sample * 32767).buffer);
        let text = '';
        for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
        return btoa(text);
      });
    },
    [url, rate],
  );
  return channels.map(samplesOf);
}

function samplesOf(base64) {
  const bytes = Buffer.from(base64, 'base64');
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readInt16LE(i * 2) / 32768);
}
