import { Component, type ComponentChildren } from 'preact'
import { t } from '../i18n'
import { Button } from './parts'

interface Props {
  children: ComponentChildren
}

/** A fault in the drawing must not take the call with it: sockets and sound live outside, and the page can be drawn anew. */
export class Guard extends Component<Props, { broken: boolean }> {
  override state = { broken: false }

  override componentDidCatch(error: unknown) {
    console.error(error)
    this.setState({ broken: true })
  }

  render() {
    if (!this.state.broken) return this.props.children
    return (
      <div class="waiting" role="alert">
        <p>{t('app.broken')}</p>
        <Button kind="primary" icon="refresh" onClick={() => this.setState({ broken: false })}>
          {t('app.broken.again')}
        </Button>
      </div>
    )
  }
}
