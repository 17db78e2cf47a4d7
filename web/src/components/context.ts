import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Workstation } from '../services/workstation'

const Context = createContext<Workstation | null>(null)

export const StationProvider = Context.Provider

/** The workstation's services, for what the agent does. */
export function useStation(): Workstation {
  const station = useContext(Context)
  if (!station) throw new Error('a view outside of the workstation')
  return station
}
