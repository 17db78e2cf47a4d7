/** Password policy (A6): 8–20 characters with letters, digits and a special character, no spaces. The switch decides; this shows it while typing. */
export interface PasswordRules {
  length: boolean
  letter: boolean
  digit: boolean
  special: boolean
  spaces: boolean
}

export function passwordRules(password: string): PasswordRules {
  const characters = Array.from(password)
  return {
    length: characters.length >= 8 && characters.length <= 20,
    letter: characters.some(c => c.toLowerCase() !== c.toUpperCase()),
    digit: /[0-9]/.test(password),
    special: /[!-\/:-@[-`{-~]/.test(password),
    spaces: password.length > 0 && !/\s/.test(password),
  }
}

export function passwordGood(password: string): boolean {
  const rules = passwordRules(password)
  return rules.length && rules.letter && rules.digit && rules.special && rules.spaces
}
