import { useState } from 'preact/hooks'
import type { Role } from '../generated/wire'
import { t } from '../i18n'
import { Blocklist } from './Blocklist'
import { Outbox } from './Outbox'

type Section = 'blocklist' | 'outbox'

/** What supervisors and admins see and change, as far as their role goes (A8, F1). */
export function Management({ role }: { role: Role }) {
  const [section, setSection] = useState<Section>('blocklist')
  const sections: Section[] = role === 'admin' ? ['blocklist', 'outbox'] : ['blocklist']
  const tabs =
    sections.length < 2 ? null : (
      <div class="seg" role="group" aria-label={t('management.title')}>
        {sections.map(each => (
          <button type="button" key={each} data-test={`management-${each}`} aria-pressed={each === section ? 'true' : 'false'} onClick={() => setSection(each)}>
            {t(`management.${each}`)}
          </button>
        ))}
      </div>
    )
  return section === 'outbox' ? <Outbox tabs={tabs} /> : <Blocklist tabs={tabs} />
}
