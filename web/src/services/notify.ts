/** Desktop notifications for a ringing call while the page is in the background (C5). */
export class Notifier {
  private shown: Notification | null = null

  /** Ask in a click, and once: going online is the moment. */
  askOnce() {
    if (typeof Notification !== 'undefined' && Notification.permission === 'default') void this.ask()
  }

  async ask(): Promise<void> {
    try {
      await Notification.requestPermission()
    } catch (_) {
      // A browser without them, or without the promise: nothing to show then.
    }
  }

  show(title: string, body: string) {
    this.close()
    if (typeof Notification === 'undefined' || Notification.permission !== 'granted' || !document.hidden) return
    try {
      const shown = new Notification(title, { body, tag: 'cordboard-call', requireInteraction: true, silent: true })
      shown.onclick = () => {
        window.focus()
        shown.close()
      }
      this.shown = shown
    } catch (_) {
      // Some systems allow notifications from service workers only: the ring and the title remain.
    }
  }

  close() {
    if (this.shown) this.shown.close()
    this.shown = null
  }
}
