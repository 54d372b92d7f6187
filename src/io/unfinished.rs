//! Files that are being written under a temporary name. They are known here, so that an interrupted program can remove them.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The temporary name of an output; the file goes away with this value unless it was renamed.
pub(super) struct Unfinished {
    name: Option<tempfile::TempPath>,
    path: PathBuf,
}

impl Unfinished {
    /// Makes an empty file in a directory, open for writing, with the permissions of a file that it is to replace.
    pub fn create(directory: &Path, replaced: Option<&Path>) -> io::Result<(File, Unfinished)> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".eagleray-");
        #[cfg(unix)]
        {
            // Temporary files are private by default; an output has the permissions that the user's umask grants.
            use std::os::unix::fs::PermissionsExt;
            let kept =
                replaced.and_then(|path| std::fs::metadata(path).ok()).map(|file| file.permissions().mode() & 0o777);
            builder.permissions(std::fs::Permissions::from_mode(kept.unwrap_or(0o666)));
        }
        // Locked before it is made: no interruption comes between a file and its entry.
        let mut list = unfinished();
        // Room for the entry, so that memory that is missing is missing before there is a file.
        list.reserve(1);
        let (file, name) = builder.tempfile_in(directory)?.into_parts();
        let path = name.to_path_buf();
        list.push(path.clone());
        // What the umask has taken from them.
        if let Some(kept) = replaced.and_then(|path| std::fs::metadata(path).ok()) {
            let _ = file.set_permissions(kept.permissions());
        }
        Ok((file, Unfinished { name: Some(name), path }))
    }

    /// Gives the file its name; an existing one is an error unless `overwrite`.
    pub fn rename(mut self, path: &Path, overwrite: bool) -> io::Result<()> {
        let Some(name) = self.name.take() else { return Ok(()) };
        let renamed = if overwrite { name.persist(path) } else { name.persist_noclobber(path) };
        renamed.map_err(|e| e.error)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        drop(self.name.take());
        unfinished().retain(|path| *path != self.path);
    }
}

/// Removes the temporary files of all outputs that are being written, for a process that is about to end. No new one
/// can be made afterwards: whoever tries waits until the process has ended.
pub fn remove_all() {
    remove(unfinished());
}

/// [`remove_all`], for a thread that may be making such a file itself, and that must not allocate: it gives up after so long.
pub fn remove_all_within(most: Duration) {
    let begun = Instant::now();
    loop {
        match UNFINISHED.try_lock() {
            Ok(list) => return remove(list),
            Err(TryLockError::Poisoned(poisoned)) => return remove(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if begun.elapsed() >= most => return,
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Removes the files of a list, which is never given back.
fn remove(list: MutexGuard<'static, Vec<PathBuf>>) {
    for path in list.iter() {
        // One that is gone has just been renamed.
        let _ = std::fs::remove_file(path);
    }
    std::mem::forget(list);
}
