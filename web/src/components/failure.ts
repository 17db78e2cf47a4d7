import { t, translated } from '../i18n'
import { ApiFailure } from '../services/http'

/** A failed request in the person's words: by its code where it is known, else by the switch's own sentence. */
export function failureText(error: unknown): string {
  if (error instanceof ApiFailure) return translated('error', error.code, error.message || t('error.failed'))
  return t('error.failed')
}
