//! What the machine offers: cores and memory, as the container sees them.

use std::fs;
use std::path::Path;

use super::memory::Memory;

/// Share of a cgroup's memory that a run may hold, in percent: the cgroup pays for page tables, sockets and cached files too.
const CGROUP_SHARE_PERCENT: u64 = 90;
/// Share of the machine's memory that a run may hold where no cgroup limits it, in percent: others live there too.
const MACHINE_SHARE_PERCENT: u64 = 80;

/// Taken where the machine does not say how much memory it has.
const MEMORY_UNKNOWN_BYTES: u64 = 4 << 30;

/// Usable cores; cgroup quota and CPU affinity are respected.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

/// The memory of a run: what is given, or a share of what the container or the machine has.
pub(super) fn memory(given_bytes: Option<u64>) -> Memory {
    let cgroup = fs::read_to_string("/proc/self/cgroup")
        .ok()
        .and_then(|text| memory_of_cgroups(&text, Path::new("/sys/fs/cgroup")));
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| memory_of_meminfo(&text));
    let limit = given_bytes.unwrap_or_else(|| default_bytes(cgroup, machine));
    Memory::new(limit, cgroup.into_iter().chain(machine).min())
}

fn default_bytes(cgroup: Option<u64>, machine: Option<u64>) -> u64 {
    let of_cgroup = cgroup.map(|bytes| bytes / 100 * CGROUP_SHARE_PERCENT);
    let of_machine = machine.map(|bytes| bytes / 100 * MACHINE_SHARE_PERCENT);
    of_cgroup.into_iter().chain(of_machine).min().unwrap_or(MEMORY_UNKNOWN_BYTES)
}

/// The smallest limit from the process's own group up to the root: of cgroup v2, and of the memory controller of v1.
fn memory_of_cgroups(proc_self_cgroup: &str, root: &Path) -> Option<u64> {
    let groups = proc_self_cgroup.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        match controllers {
            "" => Some((root.to_owned(), path, &["memory.max", "memory.high"][..])),
            _ if controllers.split(',').any(|name| name == "memory") => Some((root.join("memory"), path, &["memory.limit_in_bytes"][..])),
            _ => None,
        }
    });
    groups.filter_map(|(root, path, files)| smallest(&root, path, files)).min()
}

fn smallest(root: &Path, path: &str, files: &[&str]) -> Option<u64> {
    let own = root.join(path.trim().trim_start_matches('/'));
    own.ancestors()
        .take_while(|folder| folder.starts_with(root))
        .flat_map(|folder| files.iter().map(move |file| folder.join(file)))
        .filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok())
        .min()
}

fn memory_of_meminfo(text: &str) -> Option<u64> {
    let kibibytes = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    kibibytes.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_limit_on_the_way_to_the_root_counts() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let own = root.path().join("job/task");
        fs::create_dir_all(&own).expect("folders");
        fs::write(root.path().join("job/memory.max"), "1000\n").expect("a file");
        fs::write(own.join("memory.max"), "max\n").expect("a file");
        assert_eq!(memory_of_cgroups("1:name=x:/y\n0::/job/task\n", root.path()), Some(1000));
        assert_eq!(memory_of_cgroups("0::/elsewhere\n", root.path()), None);
        fs::write(root.path().join("job/memory.high"), "900\n").expect("a file");
        assert_eq!(memory_of_cgroups("0::/job/task\n", root.path()), Some(900));
    }

    #[test]
    fn the_memory_controller_of_the_first_version_counts_too() {
        let root = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir_all(root.path().join("memory")).expect("folders");
        // Inside a container the path is the host's, and the limit stands at the root.
        fs::write(root.path().join("memory/memory.limit_in_bytes"), "700\n").expect("a file");
        let text = "9:cpu,cpuacct:/docker/x\n5:memory:/docker/x\n0::/docker/x\n";
        assert_eq!(memory_of_cgroups(text, root.path()), Some(700));
        assert_eq!(memory_of_cgroups("9:cpu,cpuacct:/docker/x\n", root.path()), None);
    }

    #[test]
    fn a_run_leaves_a_part_to_the_system() {
        assert_eq!(default_bytes(Some(1000), Some(10_000)), 900);
        assert_eq!(default_bytes(None, Some(10_000)), 8000);
        // A cgroup may be allowed more than there is.
        assert_eq!(default_bytes(Some(u64::MAX / 2), Some(10_000)), 8000);
        assert_eq!(default_bytes(None, None), MEMORY_UNKNOWN_BYTES);
        assert_eq!(memory(Some(5)).limit_bytes(), 5);
    }

    #[test]
    fn meminfo_is_read_in_kibibytes() {
        assert_eq!(memory_of_meminfo("MemFree: 1 kB\nMemTotal:       16 kB\n"), Some(16 * 1024));
        assert_eq!(memory_of_meminfo("MemFree: 1 kB\n"), None);
    }
}
