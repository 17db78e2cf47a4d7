// The page as an agent uses it: found by its data-test hooks, never by its texts.

/** How long the page may take for what needs no ringing and no countdown. */
const PATIENCE = 10_000;

export class Workstation {
  #sockets = new Set();

  constructor(page) {
    this.page = page;
    page.on('websocket', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  /** A new tab of that browser, logged in. */
  static async logIn(context, url, { email, password }) {
    const station = new Workstation(await context.newPage());
    await station.page.goto(url);
    await station.hook('email').fill(email);
    await station.hook('password').fill(password);
    await station.click('submit');
    await station.hook('state-menu').waitFor({ timeout: PATIENCE });
    return station;
  }

  /** A further tab of a browser that is logged in. */
  static async another(context, url) {
    const station = new Workstation(await context.newPage());
    await station.page.goto(url);
    await station.hook('state-menu').waitFor({ timeout: PATIENCE });
    return station;
  }

  hook(name, attributes = '') {
    return this.page.locator(`[data-test="${name}"]${attributes}`);
  }

  click(name) {
    return this.hook(name).first().click({ timeout: PATIENCE });
  }

  /** Chooses `available`, `busy`, `onBreak` or `offline` in the menu. */
  async choose(state) {
    await this.click('state-menu');
    await this.click(`state-${state}`);
  }

  async goOnline() {
    await this.choose('available');
    await this.peer('up');
    await this.state('available');
  }

  /** With a phone: there is no voice path to wait for. */
  async goOnlineByPhone() {
    await this.choose('available');
    await this.state('available');
  }

  state(state, timeout = PATIENCE) {
    return this.hook('agent-state', `[data-state="${state}"]`).first().waitFor({ state: 'attached', timeout });
  }

  peer(state, timeout = PATIENCE) {
    return this.hook('peer', `[data-state="${state}"]`).first().waitFor({ state: 'attached', timeout });
  }

  rings(timeout = PATIENCE) {
    return this.hook('answer').waitFor({ timeout });
  }

  showsPhoneRinging(timeout = PATIENCE) {
    return this.hook('answer-on-phone').waitFor({ timeout });
  }

  ringsNoMore(timeout = PATIENCE) {
    return this.hook('offer').waitFor({ state: 'detached', timeout });
  }

  /** The call as the page shows it, such as `{ phase: 'talking', held: 'true' }`. */
  call(shown, timeout = PATIENCE) {
    const attributes = Object.entries(shown).map(([name, value]) => `[data-${name}="${value}"]`);
    return this.hook('call', attributes.join('')).first().waitFor({ state: 'attached', timeout });
  }

  /** Clicks and says when (performance.now of this process), as near as can be told: just before. */
  async clickAt(name) {
    const button = this.hook(name).first();
    await button.waitFor({ timeout: PATIENCE });
    const at = performance.now();
    await button.click();
    return at;
  }

  /** Resolves with the moment (performance.now) when the page asks this of the switch, such as `hold`. Call it before the click. */
  sends(ask) {
    return new Promise((resolve) => {
      for (const socket of this.#sockets) {
        socket.on('framesent', ({ payload }) => `${payload}`.includes(`"type":"${ask}"`) && resolve(performance.now()));
      }
    });
  }
}
