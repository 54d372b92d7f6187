//! The memory that work plans, against what there is: asked once, before the work, in one way for all of it.
//!
//! An allocation that fails ends the process, and memory that a system has promised and has not ends it later. So whoever is about to
//! hold much says how many bytes, as a sum over what it holds, and which fields make it less: a [`Footprint`]. What there is, is the least of
//! what the system says: free memory, the limits of this process, and those of its control groups.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use super::mend::Mend;

/// What is not looked at: less goes unnoticed among what a process has anyway.
const FREE: u64 = 1 << 20;

thread_local! {
    // Needs no allocation and no destructor, so that an allocator may use it.
    static MAY_FAIL: Cell<bool> = const { Cell::new(false) };
}

/// True while this thread asks for memory that it can do without: an allocator that ends the program for want of memory does not end it then.
pub fn may_fail() -> bool {
    MAY_FAIL.get()
}

/// Room for more items in a list; false where memory does not hold them.
#[must_use]
pub fn reserve_exact<T>(list: &mut Vec<T>, more: usize) -> bool {
    MAY_FAIL.set(true);
    let reserved = list.try_reserve_exact(more).is_ok();
    MAY_FAIL.set(false);
    reserved
}

/// Bytes that the limits of this process leave, of addresses and of data; `None` without a limit, and where the system does not say.
pub fn left_of_limits() -> Option<u64> {
    limits_left().into_iter().flatten().map(|left| left.bytes).min()
}

/// Bytes that work is going to hold at a time, and what makes them less.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Footprint {
    bytes: u64,
    mend: Vec<Mend>,
}

impl Footprint {
    /// Nothing yet, which other values of these fields make less.
    pub fn less_by(fields: &[&'static str]) -> Footprint {
        Footprint { bytes: 0, mend: fields.iter().map(|field| Mend::field(field)).collect() }
    }

    /// With so many items of so many bytes besides; products beyond 64 bits are the largest number.
    #[must_use]
    pub fn and(mut self, items: impl TryInto<u64>, bytes: usize) -> Footprint {
        let items = items.try_into().unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(items.saturating_mul(bytes as u64));
        self
    }

    /// With what other work holds at the same time, and what makes that less.
    #[must_use]
    pub fn with(mut self, other: Footprint) -> Footprint {
        self.bytes = self.bytes.saturating_add(other.bytes);
        other.mend.into_iter().for_each(|mend| {
            if !self.mend.contains(&mend) {
                self.mend.push(mend);
            }
        });
        self
    }

    /// All bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Refuses work that plans more than there is.
    ///
    /// # Errors
    /// [`Error::Memory`], with what is planned, what there is, and what makes it less.
    pub fn check(&self, what: &str) -> Result<()> {
        if self.bytes <= FREE {
            return Ok(());
        }
        self.check_against(what, available())
    }

    fn check_against(&self, what: &str, there: Option<Available>) -> Result<()> {
        match there {
            Some(Available { bytes, of }) if self.bytes > bytes => Err(Error::Memory {
                what: what.to_string(),
                planned: self.bytes,
                available: bytes,
                of,
                mend: self.mend.clone(),
            }),
            _ => Ok(()),
        }
    }
}

/// Bytes that can be had, and what sets that number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Available {
    bytes: u64,
    of: &'static str,
}

/// What there is, of which nobody else is using anything; `None` where the system does not say, which only Linux does.
fn available() -> Option<Available> {
    let free = free_memory(&text_of("/proc/meminfo")).map(|bytes| Available { bytes, of: "free memory" });
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    let groups = groups(&text_of("/proc/self/cgroup")).into_iter().filter_map(|folder| left_in_group(&folder, &read));
    let groups = groups.map(|bytes| Available { bytes, of: "the limit of this process's control group" });
    free.into_iter().chain(limits_left().into_iter().flatten()).chain(groups).min_by_key(|one| one.bytes)
}

/// What is left of the limits of this process.
fn limits_left() -> [Option<Available>; 2] {
    let (limits, status) = (text_of("/proc/self/limits"), text_of("/proc/self/status"));
    [
        ("Max address space", "VmSize:", "the limit of this process's addresses (ulimit -v)"),
        ("Max data size", "VmData:", "the limit of this process's data (ulimit -d)"),
    ]
    .map(|(limit, used, of)| left(&limits, &status, (limit, used)).map(|bytes| Available { bytes, of }))
}

/// What the system says in a file; nothing where there is none.
fn text_of(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The bytes of a line `NAME  1234 kB` of /proc.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// Memory that can be had without pushing out what others use, and swap.
fn free_memory(meminfo: &str) -> Option<u64> {
    let swap = kilobytes(meminfo, "SwapFree:").unwrap_or(0);
    kilobytes(meminfo, "MemAvailable:").map(|free| free.saturating_add(swap))
}

/// What is left of a limit of this process; `None` without one.
fn left(limits: &str, status: &str, (limit, used): (&str, &str)) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(limit))?;
    let most: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(most.saturating_sub(kilobytes(status, used)?))
}

/// Folders of the control groups of memory that this process is in, from /proc/self/cgroup: its own and those above it.
fn groups(own: &str) -> Vec<PathBuf> {
    let of_line = |line: &str| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        match controllers {
            "" => Some((PathBuf::from("/sys/fs/cgroup"), path.to_string())),
            list if list.split(',').any(|one| one == "memory") => {
                Some((PathBuf::from("/sys/fs/cgroup/memory"), path.to_string()))
            }
            _ => None,
        }
    };
    let mut folders = Vec::new();
    for (root, path) in own.lines().filter_map(of_line) {
        let group = root.join(path.trim_start_matches('/'));
        folders.extend(group.ancestors().take_while(|folder| folder.starts_with(&root)).map(Path::to_path_buf));
    }
    folders
}

/// What is left of the limit of a control group, of version 2 or 1; files that can be read anew do not count as used.
fn left_in_group(folder: &Path, read: &impl Fn(&Path) -> Option<String>) -> Option<u64> {
    let number = |name: &str| read(&folder.join(name))?.trim().parse::<u64>().ok();
    let most = number("memory.max").or_else(|| number("memory.limit_in_bytes"))?;
    let used = number("memory.current").or_else(|| number("memory.usage_in_bytes"))?;
    let stat = read(&folder.join("memory.stat")).unwrap_or_default();
    let of_line = |line: &str| line.strip_prefix("inactive_file ")?.trim().parse::<u64>().ok();
    let cached = stat.lines().find_map(of_line).unwrap_or(0);
    Some(most.saturating_sub(used.saturating_sub(cached)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_planned_is_a_sum_that_does_not_overflow() {
        let plan = Footprint::less_by(&["dt"]).and(3usize, 8).and(2u64, 5);
        assert_eq!(plan.bytes(), 34);
        let both = plan.clone().with(Footprint::less_by(&["dt", "segment_size"]).and(1u64, 6));
        assert_eq!((both.bytes(), both.mend), (40, vec![Mend::field("dt"), Mend::field("segment_size")]));
        assert_eq!(plan.clone().and(u64::MAX, 2).bytes(), u64::MAX);
        assert_eq!(plan.and(u128::MAX, 1).bytes(), u64::MAX);
    }

    #[test]
    fn more_than_there_is_is_refused_with_both_numbers() {
        let plan = Footprint::less_by(&["dt"]).and(1_500_000_001u64, 1);
        let there = |bytes| Some(Available { bytes, of: "free memory" });
        assert!(plan.check_against("the light curve", there(1_500_000_001)).is_ok());
        assert!(plan.check_against("the light curve", None).is_ok());
        let error = plan.check_against("the light curve", there(1_500_000_000)).unwrap_err();
        let Error::Memory { planned, available, .. } = &error else { panic!("{error}") };
        assert_eq!((*planned, *available), (1_500_000_001, 1_500_000_000));
        let said = "the light curve would take 1.5 GB of memory, and there are 1.5 GB (free memory); what mends it: dt";
        assert_eq!(error.to_string(), said);
    }

    #[test]
    fn what_there_is_is_what_the_system_says() {
        let meminfo = "MemTotal: 100 kB\nMemAvailable:   40 kB\nSwapFree: 2 kB\n";
        assert_eq!(free_memory(meminfo), Some(42 << 10));
        assert_eq!(free_memory("MemTotal: 100 kB\n"), None);
        let limits = "Max data size   unlimited  unlimited  bytes\nMax address space   8192   unlimited   bytes\n";
        let status = "VmSize:\t   3 kB\nVmData:\t  1 kB\n";
        assert_eq!(left(limits, status, ("Max address space", "VmSize:")), Some(5120));
        assert_eq!(left(limits, status, ("Max data size", "VmData:")), None);
        let paths = |list: &[&str]| list.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(groups("0::/a/b\n"), paths(&["/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"]));
        let old = "4:memory:/j\n3:cpuset:/\n";
        assert_eq!(groups(old), paths(&["/sys/fs/cgroup/memory/j", "/sys/fs/cgroup/memory"]));
        let new = |path: &Path| match path.to_str()? {
            "/g/memory.max" => Some("1000\n".to_string()),
            "/g/memory.current" => Some("700\n".to_string()),
            "/g/memory.stat" => Some("anon 1\ninactive_file 300\n".to_string()),
            _ => None,
        };
        assert_eq!(left_in_group(Path::new("/g"), &new), Some(600));
        let none = |path: &Path| path.ends_with("memory.max").then(|| "max\n".to_string());
        assert_eq!(left_in_group(Path::new("/g"), &none), None);
        let old = |path: &Path| match path.to_str()? {
            "/g/memory.limit_in_bytes" => Some("1000".to_string()),
            "/g/memory.usage_in_bytes" => Some("1001".to_string()),
            _ => None,
        };
        assert_eq!(left_in_group(Path::new("/g"), &old), Some(0));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_system_says_something() {
        assert!(available().is_some_and(|there| there.bytes > 0), "{:?}", available());
        assert!(Footprint::default().and(u64::MAX, 1).check("all of it").is_err());
        assert!(Footprint::default().and(FREE, 1).check("a little").is_ok());
    }

    #[test]
    fn room_that_cannot_be_had_is_told_and_the_thread_may_fail_no_longer() {
        let mut list = vec![1u64];
        assert!(reserve_exact(&mut list, 10) && list.capacity() >= 11 && !may_fail());
        assert!(!reserve_exact(&mut list, usize::MAX / 16) && list == [1] && !may_fail());
    }
}
