// A switch for calls without a page, with an admin who reads the records.
import { logIn } from './desk.mjs';
import { Switch } from './switch.mjs';

/** Everybody's. */
export const PASSWORD = 'blue-Kettle-42';
const ADMIN = { email: 'ada@example.com', password: PASSWORD };
export const ACCOUNT = `
[agents."${ADMIN.email}"]
number = "1000"
name = "Ada Admin"
role = "admin"
password_env = "AGENT_PASSWORD"
`;

/** Starts a switch with this floor, whose accounts have AGENT_PASSWORD for password; gives it with the admin's cookie. */
export async function openHouse(floor, { environment = {}, ...more } = {}) {
  const house = await Switch.create({ floor: ACCOUNT + floor, environment: { AGENT_PASSWORD: PASSWORD, ...environment }, ...more });
  return { house, cookie: await logIn(house.url, ADMIN) };
}
