import type {
  AccountChoice, ApiError, BlocklistFilter, BlocklistForm, BlocklistView, CodeForm, CodeRequest, CompletionForm, FlowView, Hello, LoginForm, Me, MobileCodeRequest, MobileForm, MobileSwitchesForm, PasswordForm, ProfileForm, RecordFilter, RecordPage,
  RecoveryForm, SmsLoginAnswer, SmsLoginForm, SmsOutboxRow, Waveform,
} from '../generated/wire'

/** Random bytes are made in parts of this many at most. */
const NOISE = 65_536

/** A refused or failed request. `code` is the switch's, or `unreachable`. */
export class ApiFailure extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
  ) {
    super(message)
  }
}

async function call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, credentials: 'same-origin', headers: { Accept: 'application/json' } }
  if (body !== undefined) {
    init.body = JSON.stringify(body)
    init.headers = { Accept: 'application/json', 'Content-Type': 'application/json' }
  }
  return send<T>(path, init)
}

async function send<T>(path: string, init: RequestInit): Promise<T> {
  const response = await answer(path, init)
  return response.status === 204 ? (undefined as unknown as T) : ((await response.json()) as T)
}

async function file(path: string): Promise<Blob> {
  return (await answer(path, { method: 'GET', credentials: 'same-origin' })).blob()
}

/** The switch's answer, unless it refuses. */
async function answer(path: string, init: RequestInit): Promise<Response> {
  let response: Response
  try {
    response = await fetch(`/api/v1/${path}`, init)
  } catch (_) {
    throw new ApiFailure('unreachable', '', 0)
  }
  if (response.ok) return response
  let error: Partial<ApiError> = {}
  try {
    error = (await response.json()) as Partial<ApiError>
  } catch (_) {
    // A proxy's page in place of our JSON: the status must do.
  }
  throw new ApiFailure(error.code || (response.status === 401 ? 'not_logged_in' : 'failed'), error.message || '', response.status)
}

export const api = {
  hello: () => call<Hello>('GET', 'hello'),
  login: (form: LoginForm) => call<Me>('POST', 'login', form),
  loginCode: (form: CodeRequest) => call<void>('POST', 'sms-login/code', form),
  smsLogin: (form: SmsLoginForm) => call<SmsLoginAnswer>('POST', 'sms-login', form),
  recoveryCode: (form: CodeRequest) => call<void>('POST', 'recovery/code', form),
  recoverable: (form: CodeForm) => call<AccountChoice[]>('POST', 'recovery/accounts', form),
  recover: (form: RecoveryForm) => call<Me>('POST', 'recovery', form),
  complete: (form: CompletionForm) => call<Me>('POST', 'complete', form),
  mobileCode: (form: MobileCodeRequest) => call<void>('POST', 'mobile/code', form),
  mobile: (form: MobileForm) => call<Me>('POST', 'mobile', form),
  mobileSwitches: (form: MobileSwitchesForm) => call<void>('POST', 'mobile/switches', form),
  logout: () => call<void>('POST', 'logout', {}),
  me: () => call<Me>('GET', 'me'),
  password: (form: PasswordForm) => call<void>('POST', 'password', form),
  profile: (form: ProfileForm) => call<Me>('POST', 'profile', form),
  /** The image itself; null takes the present one away. */
  avatar: (image: Blob | null) => send<Me>('avatar', { method: 'POST', credentials: 'same-origin', headers: { Accept: 'application/json' }, body: image }),
  records: (filter: Partial<RecordFilter>) => call<RecordPage>('GET', `records${query(filter)}`),
  /** A CSV file of all that the filter lets through. */
  exportRecords: (filter: Partial<RecordFilter>) => file(`records.csv${query(filter)}`),
  flows: () => call<FlowView[]>('GET', 'flows'),
  blocklist: (filter: Partial<BlocklistFilter>) => call<BlocklistView>('GET', `blocklist${query(filter)}`),
  block: (form: BlocklistForm) => call<void>('POST', 'blocklist', form),
  unblock: (entry: number) => call<void>('DELETE', `blocklist/${entry}`),
  smsOutbox: () => call<SmsOutboxRow[]>('GET', 'sms-outbox'),
  waveform: (recording: string) => call<Waveform>('GET', `recordings/${encodeURIComponent(recording)}/waveform`),
  placeTestCall: () => call<void>('POST', 'demo/call'),
}

/** Transfers so many bytes, to measure how long it takes (F4). */
export const probe = {
  download: async (bytes: number): Promise<void> => {
    const response = await fetch(`/api/v1/probe?bytes=${bytes}`, { credentials: 'same-origin', cache: 'no-store' })
    if (!response.ok) throw new ApiFailure('failed', '', response.status)
    await response.arrayBuffer()
  },
  upload: async (bytes: number): Promise<void> => {
    const noise = new Uint8Array(bytes)
    for (let at = 0; at < bytes; at += NOISE) crypto.getRandomValues(noise.subarray(at, at + NOISE))
    const response = await fetch('/api/v1/probe', { method: 'POST', credentials: 'same-origin', body: noise })
    if (!response.ok) throw new ApiFailure('failed', '', response.status)
  },
}

export type Api = typeof api

/** Where a recording is played and downloaded from. */
export function recordingUrl(recording: string): string {
  return `/api/v1/recordings/${encodeURIComponent(recording)}.mp3`
}

/** `?a=1&b=2` of what is set. */
export function query(filter: { [key: string]: string | number | null | undefined }): string {
  const pairs = Object.keys(filter)
    .map(key => [key, filter[key]] as const)
    .filter(([, value]) => value !== undefined && value !== null && value !== '')
    .map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`)
  return pairs.length ? `?${pairs.join('&')}` : ''
}
