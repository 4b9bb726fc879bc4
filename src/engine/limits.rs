//! What the machine offers: cores and memory, as the container sees them.

use std::fs;
use std::path::Path;

/// Share of the memory that SQL may hold, in percent; the rest is for kernels, buffers and the allocator.
const MEMORY_SHARE_PERCENT: u64 = 70;

/// Taken where the machine does not say how much memory it has.
const MEMORY_UNKNOWN_BYTES: u64 = 4 << 30;

/// Usable cores; cgroup quota and CPU affinity are respected.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

/// [`MEMORY_SHARE_PERCENT`] of the smallest of the cgroup's limits and the machine's memory.
pub(super) fn memory_default_bytes() -> u64 {
    let cgroup = fs::read_to_string("/proc/self/cgroup")
        .ok()
        .and_then(|text| memory_of_cgroups(&text, Path::new("/sys/fs/cgroup")));
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| memory_of_meminfo(&text));
    let total = cgroup.into_iter().chain(machine).min().unwrap_or(MEMORY_UNKNOWN_BYTES);
    total / 100 * MEMORY_SHARE_PERCENT
}

/// The smallest `memory.max` (cgroup v2) from the process's own group up to the root.
fn memory_of_cgroups(proc_self_cgroup: &str, root: &Path) -> Option<u64> {
    let own = proc_self_cgroup.lines().find_map(|line| line.strip_prefix("0::"))?;
    let own = root.join(own.trim().trim_start_matches('/'));
    own.ancestors()
        .take_while(|folder| folder.starts_with(root))
        .filter_map(|folder| fs::read_to_string(folder.join("memory.max")).ok()?.trim().parse().ok())
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
    }

    #[test]
    fn meminfo_is_read_in_kibibytes() {
        assert_eq!(memory_of_meminfo("MemFree: 1 kB\nMemTotal:       16 kB\n"), Some(16 * 1024));
        assert_eq!(memory_of_meminfo("MemFree: 1 kB\n"), None);
    }
}
