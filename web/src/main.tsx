import { options, render } from 'preact'
import { App } from './app'
import { startLanguage } from './i18n'
import { startTheme } from './services/theme'
import './styles/tokens.css'
import './styles/components.css'
import './styles/layout.css'
import './styles/devices.css'

// Preact's own choice, queueMicrotask, came with Chrome 71.
options.debounceRendering = act => void Promise.resolve().then(act)
startLanguage()
startTheme()
const root = document.getElementById('app')
if (root) render(<App />, root)
