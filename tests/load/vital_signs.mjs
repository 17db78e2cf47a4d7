// What a switch holds: what it says itself under /metrics, and what the kernel says of its process.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const GAUGES = {
  calls: 'cordboard_calls',
  legs: 'cordboard_legs',
  transactions: 'cordboard_sip_transactions',
  timers: 'cordboard_timers',
};

/** The kernel's lines about the UDP ports of that process, and how many descriptors it has. */
function ownPorts(pid) {
  const links = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      // Closed since.
      return [];
    }
  });
  const inodes = new Set(links.flatMap((link) => link.match(/^socket:\[(\d+)\]$/)?.[1] ?? []));
  const udp = ['udp', 'udp6'].flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n').slice(1));
  // The database's pool opens connections as it needs them, and files of theirs.
  const descriptors = links.filter((link) => !link.includes('.sqlite')).length;
  return { descriptors, ports: udp.map((line) => line.trim().split(/\s+/)).filter((columns) => inodes.has(columns[9])) };
}

/** Counts by name: calls, legs, SIP transactions, timers, file descriptors, UDP ports. */
export async function vitalSigns({ url, pid }) {
  const metrics = await (await fetch(`${url}metrics`)).text();
  // A gauge that was never set is not there.
  const value = (name) => Number(metrics.match(new RegExp(`^${name} (\\S+)$`, 'm'))?.[1] ?? 0);
  const signs = Object.fromEntries(Object.entries(GAUGES).map(([name, gauge]) => [name, value(gauge)]));
  const { descriptors, ports } = ownPorts(pid);
  return { ...signs, descriptors, ports: ports.length };
}

/** Datagrams that the kernel dropped at the ports it has open now, because the process did not read them in time. */
export function dropped({ pid }) {
  return ownPorts(pid).ports.reduce((sum, columns) => sum + Number(columns[12]), 0);
}

/** Memory that the process has made its own, bytes, wherever the kernel keeps it. Pages of files are not: the kernel takes and gives them as it likes. */
export function memory({ pid }) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = (name) => Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm'))[1]);
  return 1024 * (kibibytes('RssAnon') + kibibytes('VmSwap'));
}

/** What differs by more than `tolerance`, one line each. */
export function differences(before, now, tolerance) {
  const differ = Object.keys(before).filter((name) => Math.abs(now[name] - before[name]) > tolerance);
  return differ.map((name) => `${name}: ${before[name]} before, ${now[name]} now`);
}
