/** Puts text on the clipboard; false: the browser would not. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch (_) {
    // Firefox before 63, and pages that may not: the way of old.
  }
  const field = document.createElement('textarea')
  field.value = text
  field.className = 'sr'
  document.body.appendChild(field)
  field.select()
  const done = document.execCommand('copy')
  field.remove()
  return done
}
