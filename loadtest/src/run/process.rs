//! What a process takes of the machine, as the kernel counts it.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use nix::unistd::{SysconfVar, sysconf};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A process and all its threads, or several that do one work.
#[derive(Clone)]
pub struct Process {
    folders: Vec<PathBuf>,
    tick: f64,
}

impl Process {
    /// By their numbers; one that is gone counts nothing.
    pub fn new(pids: &[u32]) -> Self {
        let tick = sysconf(SysconfVar::CLK_TCK).ok().flatten().and_then(|ticks| i32::try_from(ticks).ok());
        Self { folders: pids.iter().map(|pid| format!("/proc/{pid}").into()).collect(), tick: 1.0 / f64::from(tick.unwrap_or(100)) }
    }

    /// A process and all that it began, as they are now.
    pub fn family(first: u32) -> Self {
        let parent = |pid: u32| stat(Path::new(&format!("/proc/{pid}"))).and_then(|fields| fields.get(1)?.parse::<u32>().ok());
        let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let mut known: Vec<(u32, u32)> =
            all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter_map(|pid| Some((pid, parent(pid)?))).collect();
        let mut family = vec![first];
        let mut next = 0;
        while let Some(elder) = family.get(next).copied() {
            let (children, others) = known.into_iter().partition(|(_, parent)| *parent == elder);
            let children: Vec<(u32, u32)> = children;
            family.extend(children.into_iter().map(|(pid, _)| pid));
            known = others;
            next += 1;
        }
        Self::new(&family)
    }

    /// User and system time since it began; the kernel counts in ticks of 10 ms.
    pub fn cpu(&self) -> Option<Duration> {
        self.sum(|folder| {
            let fields = stat(folder)?;
            let ticks = |field: usize| fields.get(field)?.parse::<u32>().ok();
            Some((f64::from(ticks(11)?) + f64::from(ticks(12)?)) * self.tick)
        })
        .map(Duration::from_secs_f64)
    }

    /// Resident memory.
    pub fn memory_mib(&self) -> Option<f64> {
        self.sum(|folder| {
            let status = std::fs::read_to_string(folder.join("status")).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
            Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? / 1024.0)
        })
    }

    /// Open files and sockets.
    pub fn descriptors(&self) -> Option<f64> {
        self.sum(|folder| Some(f64::from(u32::try_from(std::fs::read_dir(folder.join("fd")).ok()?.count()).ok()?)))
    }

    fn sum(&self, read: impl Fn(&PathBuf) -> Option<f64>) -> Option<f64> {
        let all: Vec<f64> = self.folders.iter().filter_map(read).collect();
        (!all.is_empty()).then(|| all.iter().sum())
    }
}

/// The fields of its state from the third on (proc(5)).
fn stat(folder: &Path) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
    // What stands before the last bracket may hold anything.
    Some(stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

/// CPU time of this program.
pub fn own_cpu() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Duration::ZERO };
    let time = usage.user_time() + usage.system_time();
    Duration::from_micros(u64::try_from(time.num_microseconds()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_takes_time_and_memory() {
        let own = Process::new(&[std::process::id()]);
        let began = own_cpu();
        while own_cpu() - began < Duration::from_millis(50) {}
        assert!(own.cpu().unwrap() >= Duration::from_millis(30));
        assert!(own.memory_mib().unwrap() > 1.0);
        let before = own.descriptors().unwrap();
        let held = [(); 50].map(|()| std::fs::File::open("/dev/null").unwrap());
        // Other tests open and close some too.
        assert!(own.descriptors().unwrap() > before + 25.0);
        drop(held);
        assert_eq!(Process::new(&[u32::MAX]).cpu(), None);
    }
}
